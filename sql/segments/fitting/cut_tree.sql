-- The clusters that are left of a tree when its last merges are undone.
create function cut_tree(
    parents bigint[],
    clusters bigint
)
returns bigint[]
language plpgsql
immutable
parallel safe
set search_path from current
as $$
declare
    _nodes constant bigint := cardinality(cut_tree.parents);
    _below constant bigint := _nodes - cut_tree.clusters + 1;
    _cluster bigint := 0;
    _clusters bigint[] := array_fill(null::bigint, array[_nodes::integer]);
begin
    for _node in reverse _below .. 1 loop
        if cut_tree.parents[_node] <= _below then
            _clusters[_node] := _clusters[cut_tree.parents[_node]];
        else
            _cluster := _cluster + 1;
            _clusters[_node] := _cluster;
        end if;
    end loop;

    return _clusters;
end
$$;

comment on function cut_tree(bigint[], bigint) is
'Internal. For every node of a tree, given the parents of its nodes in the order of their merges, the cluster (1 to
clusters) that it is in or is; null above the cut.
Example: select cut_tree(''{4, 5, 4, 5, null}'', clusters => 2);';
