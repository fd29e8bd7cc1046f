"""The contract, read from the catalog: names, arguments, columns, comments whose examples run, markers that hold."""

from __future__ import annotations

import re

import pytest

from conftest import AUDIENCES, KNOWN, SOURCES, Cluster, connect, migrate_toy
from pgaudience import resources
from pgaudience.database import open_space
from pgaudience.embedding.registry import measure
from pgaudience.installing import migrate
from pgaudience.loading.load import load
from pgaudience.mapping import make_map
from pgaudience.pipeline import embed_query, embed_space
from pgaudience.reading import Columns, Rejects, open_source
from pgaudience.refresh import refresh

SQL = resources.folder("sql")
SCHEMAS = ("audience", "audience_bi")

# What says who belongs to an audience: the arguments of all that take a definition in parts.
PARTS = [
    "search text DEFAULT NULL::text", "away_from text DEFAULT NULL::text", "mode text DEFAULT NULL::text",
    "breadth double precision DEFAULT NULL::double precision",
    "evidence_weight double precision DEFAULT NULL::double precision", "padded boolean DEFAULT NULL::boolean",
    "min_entries bigint DEFAULT NULL::bigint",
    "like_users text[] DEFAULT NULL::text[]", "like_audience text DEFAULT NULL::text",
    "unlike text[] DEFAULT NULL::text[]", "centered boolean DEFAULT NULL::boolean",
    "segmentation text DEFAULT NULL::text", "segments bigint[] DEFAULT NULL::bigint[]",
    "filter jsonb DEFAULT NULL::jsonb", "all_of text[] DEFAULT NULL::text[]", "any_of text[] DEFAULT NULL::text[]",
    "none_of text[] DEFAULT NULL::text[]", "size bigint DEFAULT NULL::bigint",
    "share double precision DEFAULT NULL::double precision",
    "min_score double precision DEFAULT NULL::double precision",
    "keep double precision DEFAULT NULL::double precision",
]  # fmt: skip
PART_TYPES = ",".join(part.partition(" DEFAULT")[0].partition(" ")[2] for part in PARTS)

FUNCTIONS = {
    "embed(text)": ["query text"],
    "scale(vector,double precision)": ["embedding vector", "factor double precision"],
    "encode_text(text,text)": ["raw text", "prompt text DEFAULT ''::text"],
    "encode_texts(text[],text)": ["texts text[]", "prompt text DEFAULT ''::text"],
    "encoder_digest()": [],
    "check_encoder()": [],
    "encoder_tokenize(text)": ["raw text"],
    "search_users(text,bigint,jsonb,text,double precision,double precision,bigint,boolean)": [
        "query text", "k bigint DEFAULT 20", "filter jsonb DEFAULT '{}'::jsonb", "mode text DEFAULT 'hybrid'::text",
        "breadth double precision DEFAULT NULL::double precision",
        "evidence_weight double precision DEFAULT NULL::double precision", "min_entries bigint DEFAULT 1",
        "padded boolean DEFAULT true",
    ],
    "search_users(vector,bigint,jsonb,text,double precision,double precision,bigint,boolean)": [
        "query vector", "k bigint DEFAULT 20", "filter jsonb DEFAULT '{}'::jsonb", "mode text DEFAULT 'hybrid'::text",
        "breadth double precision DEFAULT NULL::double precision",
        "evidence_weight double precision DEFAULT NULL::double precision", "min_entries bigint DEFAULT 1",
        "padded boolean DEFAULT true",
    ],
    "search_entries(text,bigint,jsonb)": ["query text", "k bigint DEFAULT 20", "filter jsonb DEFAULT '{}'::jsonb"],
    "search_entries(vector,bigint,jsonb)": ["query vector", "k bigint DEFAULT 20", "filter jsonb DEFAULT '{}'::jsonb"],
    "similar_users(text,bigint,text,boolean,jsonb,bigint)": [
        "of_user text", "k bigint DEFAULT 20", "by text DEFAULT 'vector'::text", "centered boolean DEFAULT true",
        "filter jsonb DEFAULT '{}'::jsonb", "min_entries bigint DEFAULT 1",
    ],
    "lookalikes(text[],bigint,double precision,text[],double precision[],jsonb,boolean,bigint,text)": [
        "user_ids text[]", "k bigint DEFAULT NULL::bigint", "fraction double precision DEFAULT NULL::double precision",
        "unlike text[] DEFAULT NULL::text[]", "weights double precision[] DEFAULT NULL::double precision[]",
        "filter jsonb DEFAULT '{}'::jsonb", "centered boolean DEFAULT true", "min_entries bigint DEFAULT 1",
        "by text DEFAULT 'mean'::text",
    ],
    "lookalike_quality(text[],bigint,bigint,text[],boolean,text)": [
        "user_ids text[]", "folds bigint DEFAULT 5", "seed bigint DEFAULT 0", "unlike text[] DEFAULT NULL::text[]",
        "centered boolean DEFAULT true", "by text DEFAULT 'mean'::text",
    ],
    "user_similarity(text[])": ["user_ids text[]"],
    "explain_match(text,text,text,double precision,double precision)": [
        "user_id text", "query text", "mode text DEFAULT 'hybrid'::text",
        "breadth double precision DEFAULT NULL::double precision",
        "evidence_weight double precision DEFAULT NULL::double precision",
    ],
    "explain_match(text,vector,text,double precision,double precision)": [
        "user_id text", "query vector", "mode text DEFAULT 'hybrid'::text",
        "breadth double precision DEFAULT NULL::double precision",
        "evidence_weight double precision DEFAULT NULL::double precision",
    ],
    "entry_text(text,jsonb,text)": ["entry text", "attributes jsonb", "template text"],
    "describe_run(bigint)": ["run_id bigint"],
    "segment_examples(text,bigint,bigint)": ["segmentation text", "segment_id bigint", "k bigint DEFAULT 5"],
    "explain_segment(text,text)": ["segmentation text", "user_id text"],
    "assign_segment(text,text)": ["segmentation text", "user_id text"],
    "assign_segment(text,vector)": ["segmentation text", "embedding vector"],
    "rename_segment(text,bigint,text)": ["segmentation text", "segment_id bigint", "new_name text"],
    "refresh()": [],
    "embed_entries(bigint)": ["max_texts bigint DEFAULT NULL::bigint"],
    f"define_audience({PART_TYPES},text)": [*PARTS, "judgements_of text DEFAULT NULL::text"],
    f"preview_audience({PART_TYPES},text)": [*PARTS, "judgements_of text DEFAULT NULL::text"],
    f"save_audience(text,{PART_TYPES},bigint,boolean)": [
        "name text", *PARTS, "suppress_below bigint DEFAULT NULL::bigint",
        "use_judgements boolean DEFAULT NULL::boolean",
    ],
    "describe_audience(jsonb)": ["definition jsonb"],
    "drop_audience(text)": ["name text"],
    "refresh_audiences()": [],
    "sample_members(text,bigint)": ["audience text", "n bigint DEFAULT 30"],
    "judge_member(text,text,boolean)": ["audience text", "user_id text", "belongs boolean"],
    "audience_precision(text,double precision)": ["audience text", "confidence double precision DEFAULT 0.95"],
    "open_cursor(text,text)": ["audience text", "cursor text"],
    "read_changes(text,text)": ["audience text", "cursor text"],
    "confirm_changes(text,text,bigint)": ["audience text", "cursor text", "change_id bigint"],
    "add_source(text,text,text,text,text,text[],text,text,text,text,text)": [
        "relation text", "user_column text DEFAULT NULL::text", "entry_column text DEFAULT NULL::text",
        "frequency_column text DEFAULT NULL::text", "time_column text DEFAULT NULL::text",
        "attributes text[] DEFAULT '{}'::text[]", "cursor_column text DEFAULT NULL::text",
        "overlap text DEFAULT NULL::text", "entry_key_column text DEFAULT NULL::text",
        "entry_source text DEFAULT NULL::text", "name text DEFAULT NULL::text",
    ],
    "drop_source(text,boolean)": ["name text", "keep boolean DEFAULT true"],
    "run(boolean)": ["segmentations boolean DEFAULT true"],
    "forget_user(text,jsonb)": ["user_id text", "INOUT receipt jsonb DEFAULT NULL::jsonb"],
    "sync(boolean)": ["complete boolean DEFAULT false"],
    "audience_overlap(text[])": ["names text[] DEFAULT NULL::text[]"],
    "explain_member(text,text)": ["audience text", "user_id text"],
    "request_embedding(text)": ["query text"],
    "embed_query(text,interval)": ["query text", "timeout interval DEFAULT '00:00:10'::interval"],
    "query_source(text)": ["query text"],
    "compare_k(bigint,bigint,bigint,bigint,jsonb,boolean)": [
        "k_min bigint DEFAULT 2", "k_max bigint DEFAULT 12", "sample_size bigint DEFAULT 2000",
        "repeats bigint DEFAULT 3", "filter jsonb DEFAULT '{}'::jsonb", "centered boolean DEFAULT true",
    ],
    "attribute_vectors(text)": ["attribute text"],
    "user_entry_actions(text,text,text)": [
        "category text", "action text DEFAULT NULL::text", "goal text DEFAULT NULL::text",
    ],
    "compare_spaces(text[],bigint,jsonb,text,bigint,bigint)": [
        "spaces text[]", "k bigint DEFAULT NULL::bigint", "group_filter jsonb DEFAULT NULL::jsonb",
        "label text DEFAULT NULL::text", "sample_size bigint DEFAULT 2000", "seed bigint DEFAULT 0",
    ],
    "segment_quality(text,bigint)": ["segmentation text", "sample_size bigint DEFAULT 1000"],
    "member_silhouettes(text,bigint)": ["segmentation text", "sample_size bigint DEFAULT 1000"],
    "entry_label_silhouette(text,bigint)": ["label text DEFAULT NULL::text", "sample_size bigint DEFAULT 1000"],
    "find_outliers(double precision,bigint,bigint,jsonb,boolean)": [
        "fraction double precision DEFAULT 0.01", "repeats bigint DEFAULT 10", "sample_size bigint DEFAULT 50",
        "filter jsonb DEFAULT '{}'::jsonb", "centered boolean DEFAULT true",
    ],
}  # fmt: skip

RESULTS = {
    "search_users": ["rank", "user_id", "score", "matched_entries", "evidence", "percentile", "times"],
    "search_entries": ["entry", "similarity", "users", "frequency", "rank"],
    "similar_users": ["rank", "user_id", "similarity"],
    "lookalikes": ["rank", "user_id", "similarity"],
    "lookalike_quality": ["rank", "share", "recall", "lift", "found_by"],
    "user_similarity": ["user_a", "user_b", "similarity"],
    "explain_match": ["entry", "frequency", "weight", "similarity", "contribution", "mean_part", "evidence_part"],
    "explain_segment": ["entry", "frequency", "weight", "similarity", "contribution"],
    "segment_examples": ["kind", "user_id", "similarity", "margin", "top_entries"],
    "assign_segment": ["segment_id", "segment", "similarity", "runner_up_id", "margin"],
    "compare_k": [
        "k",
        "inertia",
        "silhouette",
        "simplified_silhouette",
        "davies_bouldin",
        "calinski_harabasz",
        "stability",
    ],
    "attribute_vectors": ["value", "entries", "users", "frequency", "embedding"],
    "user_entry_actions": [
        "user_key",
        "user_id",
        "value",
        "events",
        "actions",
        "conversion",
        "first_at",
        "last_at",
        "mean_interval",
    ],
    "compare_spaces": [
        "space",
        "model",
        "dimensions",
        "users",
        "coverage",
        "reidentification",
        "reidentification_margin",
        "bits",
        "bits_margin",
        "lift",
        "silhouette",
        "stability",
        "label_silhouette",
        "seconds",
        "bytes",
    ],
    "segment_quality": ["segment_id", "segment", "users", "inertia", "cohesion", "silhouette"],
    "member_silhouettes": ["user_id", "segment_id", "silhouette", "simplified_silhouette"],
    "find_outliers": ["rank", "user_id", "score"],
    "preview_audience": [
        "members",
        "candidates",
        "with_evidence",
        "highest_score",
        "upper_quartile",
        "median_score",
        "lower_quartile",
        "lowest_score",
        "borderline",
    ],
    "audience_overlap": ["audience", "other", "members", "other_members", "shared", "share", "lift"],
    "explain_member": ["part", "holds", "explanation"],
    "sample_members": ["user_id", "place", "stratum", "reasons", "top_entries", "attributes"],
    "audience_precision": ["size", "estimate", "low", "high", "judged", "belonging", "stratum_precision"],
    "read_changes": ["change_id", "user_id", "change", "changed_at"],
}

# What an analyst calls beside these; the comment of everything else begins with 'Internal.'.
PUBLIC = {name.partition("(")[0] for name in FUNCTIONS} | {
    "build_segmentation",
    "publish_run",
    "label_agreement",
    "tokenize",
}

RELATIONS = {
    "api": ["name", "kind", "arguments", "result", "what", "example"],
    "space": [
        "model", "dimensions", "weighting", "breadth", "evidence_weight", "half_life", "entry_template", "base",
        "created_at",
    ],
    "users": ["user_key", "user_id", "attributes"],
    "entries": ["entry_key", "entry", "attributes"],
    "entry_vectors": ["entry_key", "embedding", "embedded_at", "text_hash"],
    "entry_texts": ["entry_key", "entry", "text", "text_hash", "is_current"],
    "activity": ["user_key", "entry_key", "frequency", "first_at", "last_at"],
    "sessions": ["user_key", "session_id", "entry_keys"],
    "session_vectors": ["user_id", "session_id", "entries", "embedding"],
    "activity_input": ["user_id", "entry", "frequency", "occurred_at"],
    "queries": ["query", "embedding", "exact"],
    "encoder": ["layers", "dimensions", "pooling", "query_prompt", "passage_prompt", "digest", "stored_at"],
    "encoder_characters": ["first_code", "last_code", "becomes", "is_word"],
    "encoder_tokens": ["token", "embedding"],
    "encoder_positions": ["position", "embedding"],
    "encoder_norms": ["layer", "norm", "scale", "shift"],
    "encoder_weights": ["layer", "matrix", "head", "unit", "bias", "weights"],
    "encoder_tests": ["text", "embedding"],
    "tokens": ["token", "embedding"],
    "token_layers": ["layer", "unit", "weights", "bias"],
    "segmentations": ["segmentation", "published_run_id", "suppress_below", "created_at"],
    "segmentation_runs": [
        "run_id", "segmentation", "method", "k", "silhouette", "seconds", "users_moved", "churn", "ari_to_previous",
        "published_at", "average",
    ],
    "run_segments": [
        "run_id", "segment_id", "name", "keywords", "users", "share", "cohesion", "centroid", "has_theme",
    ],
    "run_entries": ["run_id", "segment_id", "entry_key", "users", "share", "lift", "log_odds", "z_score"],
    "run_attributes": ["run_id", "segment_id", "attribute", "value", "users", "share", "lift", "mean", "median"],
    "run_drivers": ["run_id", "attribute", "kind", "users", "mutual_information", "cramers_v", "eta_squared"],
    "run_tree": ["run_id", "node_id", "parent_id", "height", "users", "segment_id", "centroid"],
    "segment_names": ["segmentation", "segment_id", "name", "named_by", "named_at"],
    "segments": [
        "segmentation", "segment_id", "name", "keywords", "users", "share", "cohesion", "silhouette",
        "nearest_segment_id", "created_at", "has_theme",
    ],
    "segment_members": [
        "segmentation", "segment_id", "segment", "user_id", "similarity", "runner_up_id", "margin", "runner_up",
        "attributes",
    ],
    "segment_entries": [
        "segmentation", "segment_id", "segment", "entry", "users", "share", "overall_share", "lift", "log_odds",
        "z_score",
    ],
    "segment_grid": ["segmentation", "segment_id", "segment", "entry", "users", "share", "overall_share", "lift"],
    "segment_attributes": [
        "segmentation", "segment_id", "segment", "attribute", "value", "users", "share", "overall_share", "lift",
        "mean", "median", "overall_mean", "overall_median",
    ],
    "segment_drivers": [
        "segmentation", "attribute", "kind", "users", "mutual_information", "cramers_v", "eta_squared",
    ],
    "segment_tree": ["segmentation", "node_id", "parent_id", "height", "users", "segment_id", "segment"],
    "audience_bi.segments": ["segmentation", "segment_id", "name", "keywords", "users", "share"],
    "audience_bi.segment_members": [
        "segmentation", "segment_id", "segment", "user_id", "similarity", "runner_up_id", "margin", "runner_up",
        "attributes",
    ],
    "attribute_columns": ["attribute", "column_name", "type", "users"],
    "audience_bi.users_wide": ["user_id", "entries", "frequency", "coverage"],
    "audience_bi.user_attributes": ["user_id", "attribute", "value", "number"],
    "audience_bi.segment_drivers": ["segmentation", "attribute", "kind", "users", "cramers_v", "eta_squared"],
    "audience_bi.segment_changes": [
        "change_id", "segmentation", "run_id", "changed_at", "user_id", "from_segment_id", "from_segment",
        "to_segment_id", "to_segment",
    ],
    "segment_publications": ["publication_id", "run_id", "published_at"],
    "audience_bi.segment_entries": ["segmentation", "segment_id", "segment", "entry", "users", "lift", "z_score"],
    "audience_bi.segment_grid": [
        "segmentation", "segment_id", "segment", "entry", "users", "share", "lift", "rank", "label",
    ],
    "audience_bi.segment_attributes": ["segmentation", "segment_id", "segment", "attribute", "value", "users", "mean"],
    "audience_bi.segment_history": [
        "segmentation", "run_id", "published_at", "segment_id", "segment", "users", "share", "current_name",
        "current_label",
    ],
    "audiences": [
        "audience", "definition", "suppress_below", "members", "fault", "inputs", "created_at", "defined_at",
        "refreshed_at",
    ],
    "attribute_kinds": ["relation", "attribute", "kind"],
    "audience_cursors": ["audience", "cursor", "change_id", "moved_at"],
    "audience_judgements": ["audience", "user_id", "belongs", "judged_by", "judged_at"],
    "audience_members": ["audience", "user_id", "rank", "score", "reasons", "percentile", "times"],
    "audience_changes": ["change_id", "audience", "user_id", "change", "why", "changed_at"],
    "audience_history": [
        "audience", "refreshed_at", "why", "members", "entered", "departed", "lowest_score", "seconds",
    ],
    "audience_bi.audiences": ["audience", "meaning", "definition", "members", "refreshed_at", "stale", "fault"],
    "audience_bi.audience_members": [
        "audience", "user_id", "rank", "score", "reasons", "attributes", "percentile", "times",
    ],
    "audience_bi.audience_changes": ["change_id", "audience", "user_id", "change", "why", "changed_at"],
    "audience_bi.audience_history": ["audience", "refreshed_at", "why", "members", "entered", "departed"],
    "audience_bi.audience_overlap": ["audience", "other", "members", "other_members", "shared", "share", "lift"],
    "sources": [
        "source", "source_key", "relation", "user_column", "entry_column", "entry_key_column", "entry_source",
        "frequency_column", "time_column", "cursor_column", "overlap", "attributes", "added_by", "added_at", "position",
        "synced_at", "complete", "rows_read", "rows_rejected", "changes", "seconds", "fault",
    ],
    "runs": ["run_id", "step", "started_at", "finished_at", "seconds", "counts", "fault", "run_by"],
    "forgotten_users": ["user_hash", "forgotten_at", "rows_left_out"],
    "source_rejects": ["source", "reason", "rows", "counted_at"],
    "source_activity": ["user_key", "entry_key", "source_key", "frequency", "first_at", "last_at"],
    "source_entries": ["source_key", "key", "entry_key", "pointed_at"],
    "segment_assignments": ["run_id", "user_key", "segment_id", "similarity", "runner_up_id", "margin"],
    "segment_lineage": ["run_id", "event", "previous_segment_id", "segment_id", "users"],
    "segment_changes": ["change_id", "segmentation", "run_id", "user_id", "from_segment_id", "to_segment_id"],
    "segment_descriptions": [
        "description_id", "segmentation", "segment_id", "run_id", "model", "seed", "prompt_hash", "name", "sentence",
        "keywords", "fault", "prompt_tokens", "completion_tokens", "rank", "similarity", "overlap", "answered_at",
    ],
    "entry_descriptions": [
        "entry_key", "model", "prompt_hash", "text_hash", "description", "tags", "fault", "prompt_tokens",
        "completion_tokens", "answered_at",
    ],
    "audience_bi.segment_descriptions": [
        "segmentation", "segment_id", "segment", "description", "keywords", "model", "answers", "similarity", "overlap",
        "answered_at",
    ],
    "maps": ["map_id", "relation", "method", "segmentation", "average", "trustworthiness", "fitted_at"],
    "user_places": ["user_key", "map_id", "x", "y", "is_fitted"],
    "entry_places": ["entry_key", "map_id", "x", "y", "is_fitted"],
    "map_vectors": ["map_id", "axis", "direction", "origin", "explained", "top_entries", "bottom_entries"],
    "map_axes": [
        "relation", "method", "segmentation", "axis", "explained", "explained_of_centres", "top_entries",
        "bottom_entries", "trustworthiness",
    ],
    "user_map": ["user_key", "user_id", "method", "segmentation", "x", "y", "z"],
    "entry_map": ["entry_key", "entry", "method", "segmentation", "x", "y", "z"],
    "audience_bi.user_map": ["user_id", "method", "segmentation", "x", "y", "z"],
    "audience_bi.segment_map": ["segmentation", "segment_id", "segment", "label", "user_id", "method", "x", "y"],
    "audience_bi.entry_map": ["entry", "users", "method", "segmentation", "x", "y", "z"],
    "audience_bi.map_axes": ["relation", "method", "axis", "explained", "top_entries", "bottom_entries"],
    "weighted_activity": ["user_key", "entry_key", "frequency", "weight"],
    "entry_postings": ["entry_key", "user_keys", "strengths"],
    "entry_sample": ["entry_key", "embedding"],
    "user_sample": ["user_key", "users", "embedding"],
    "entry_stats": ["entry_key", "users", "frequency", "idf", "settled_idf"],
    "entry_lengths": ["user_key", "length"],
    "average_user": ["users", "embedding"],
    "centered_user_vectors": ["user_key", "user_id", "embedding"],
    "user_vectors": ["user_key", "user_id", "entries", "frequency", "coverage", "embedding"],
    "derived_spaces": ["space"],
    "status": [
        "entries", "entries_embedded", "entries_pending", "entries_failed", "oldest_pending_at", "users",
        "users_with_vector", "coverage", "refreshed_at", "stale", "queries_waiting", "workers", "worker_seen_at",
        "entries_outdated",
    ],
}  # fmt: skip

# Relations that only functions read, beside the definitions, `…_live`, of materialized views.
PLUMBING = {
    "attribute_columns", "attribute_profiles", "given_profiles", "attribute_values",
    "encoder_characters", "encoder_norms", "encoder_positions", "encoder_tests", "encoder_tokens", "encoder_weights",
    "audience_pairs", "common_weights", "entry_lengths", "entry_postings", "entry_sample", "freshness", "live_workers",
    "published_members", "user_sample",
    "changed_entries", "changed_users", "changed_vectors", "late_postings", "late_users",
    "reference_policies", "reference_vectors",
}  # fmt: skip

# What writes, and what reports its progress through a setting.
VOLATILE = {
    "request_embedding", "report_progress", "fit_centroids", "fit_sample", "fits_sample", "bootstrap_clusters",
    "compare_k", "choose_k", "fit_kmeans", "fit_agglomerative", "lock_audiences", "leave_audiences",
    "hold_users", "remove_orphans", "narrow_search_path", "compare_copies",
    "fit_segments", "lock_segmentation", "number_segments", "name_by_model", "embed_entry_batch", "embed_query_batch",
    "judge_halves", "judge_space", "compare_spaces", "embed_by_terms",
}  # fmt: skip

# What reads relations by a query that another function gives it, and what only writes such a query.
READS = re.compile(
    r"\b((encode_texts|encode_alike|nearest_users|nearest_entries|rank_users|candidate_users|admitted_entries|check_query|check_users"
    r"|segmentation_points|draw_users|drawn_vectors|published_run|user_vector_relation|pick_members|admissible_users|filtered_users|check_foundations)\("
    r"|average_user\b)"
)
WRITES_A_QUERY = {"encoder_statement"}

# Every public object of a space: what it is, its name, its comment.
OBJECTS = """
select case p.prokind when 'p' then 'procedure' else 'function' end as kind, p.oid::regprocedure::text as name,
    obj_description(p.oid, 'pg_proc') as comment, p.prorettype = 'trigger'::regtype as is_trigger
from pg_proc p
where p.pronamespace = any (%(schemas)s::regnamespace[])
union all
select case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'c' then 'type' else 'table' end,
    c.oid::regclass::text,
    case c.relkind when 'c' then obj_description(c.reltype, 'pg_type') else obj_description(c.oid, 'pg_class') end,
    false
from pg_class c
where c.relnamespace = any (%(schemas)s::regnamespace[]) and c.relkind in ('r', 'v', 'm', 'c')
union all
select 'column', c.oid::regclass || '.' || a.attname, col_description(c.oid, a.attnum), false
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = any (%(schemas)s::regnamespace[]) and c.relkind in ('r', 'v', 'm', 'c')
order by 1, 2
"""

ROUTINES = """
select p.oid::regprocedure::text as name, l.lanname, p.provolatile, p.proparallel, p.proisstrict, p.prokind,
    p.prorettype = 'trigger'::regtype as is_trigger, p.proconfig, pg_get_functiondef(p.oid) as definition
from pg_proc p
join pg_language l on l.oid = p.prolang
where p.pronamespace = 'audience'::regnamespace
order by 1
"""


@pytest.fixture
def space(cluster: Cluster) -> str:
    """An empty space; only read here."""

    def fill(url: str) -> None:
        with connect(url) as connection:
            connection.execute("create extension vector with schema public")
        migrate_toy(url)

    return cluster.template("contract", fill)


def rows(url: str, query: str, **values: object) -> list:
    with connect(url) as connection:
        return connection.execute(query, values or None).fetchall()


def objects(url: str) -> list:
    return rows(url, OBJECTS, schemas=list(SCHEMAS))


# Names


def test_functions(space: str) -> None:
    query = r"""
        select oid::regprocedure::text, regexp_replace(pg_get_function_arguments(oid), '\mIN ', '', 'g')
        from pg_proc
        where pronamespace = 'audience'::regnamespace"""
    found = dict(rows(space, query))
    for name, arguments in FUNCTIONS.items():
        assert found[name] == ", ".join(arguments), name


def test_result_columns(space: str) -> None:
    query = """
        select p.oid::regprocedure::text, p.proname, array(
            select a.name from unnest(p.proargnames, p.proargmodes) a (name, mode) where a.mode = 't'
        )
        from pg_proc p
        where p.proname = any (%(names)s) and p.pronamespace = 'audience'::regnamespace"""
    found = rows(space, query, names=list(RESULTS))
    assert {name for _, name, _ in found} == RESULTS.keys()
    for signature, name, columns in found:
        assert columns[: len(RESULTS[name])] == RESULTS[name], signature


def test_relations(space: str) -> None:
    query = "select attname from pg_attribute where attrelid = to_regclass(%(name)s) and attnum > 0"
    for name, columns in RELATIONS.items():
        assert set(columns) <= {row[0] for row in rows(space, query, name=name)}, name


@pytest.mark.slow
def test_a_space_over_the_people_of_another_has_the_same(space: str, database: str) -> None:
    """A migration that changes users, entries or activity leaves them alone where they are views."""
    migrate_toy(database)
    migrate(database, "taste", model=None, weighting=None, of="audience", measure=lambda _: ("tests:taste", 2))
    names = """
        select c.relname::text, a.attname::text
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = %(schema)s::regnamespace and c.relkind in ('r', 'v', 'm') and a.attnum > 0
        union all
        select p.proname::text, replace(pg_get_function_identity_arguments(p.oid), %(schema)s || '.', '')
        from pg_proc p
        where p.pronamespace = %(schema)s::regnamespace
        order by 1, 2"""
    assert rows(database, names, schema="taste") == rows(database, names, schema="audience")


def test_no_vectors_for_bi_tools(space: str) -> None:
    query = """
        select c.relname::text, a.attname::text
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'audience_bi'::regnamespace and a.atttypid = 'vector'::regtype"""
    assert rows(space, query) == []


# Comments


def test_the_public_functions_are_told_from_the_plumbing(space: str) -> None:
    """`\\df+`, the view `api` and the list above agree."""
    found = objects(space)
    calls = [(name, comment) for kind, name, comment, _ in found if kind in ("function", "procedure")]
    public = {name for name, comment in calls if not comment.startswith("Internal.")}
    assert {name.partition("(")[0] for name in public} == PUBLIC
    assert FUNCTIONS.keys() <= public
    names = [name for (name,) in rows(space, "select name from api")]
    assert sorted(names) == sorted(name.partition("(")[0] for name in public)
    assert 0 < len(public) < len(calls) / 2


def test_the_api_says_how_to_call(space: str) -> None:
    query = "select kind, arguments, result, what, example from api where name = %(name)s"
    assert rows(space, query, name="embed_query")[0][:3] == (
        "procedure", "query text, timeout interval DEFAULT '00:00:10'::interval", None,
    )  # fmt: skip
    ((kind, arguments, result, what, example),) = rows(space, query, name="user_similarity")
    assert (kind, arguments) == ("function", "user_ids text[]")
    assert result == "TABLE(user_a text, user_b text, similarity double precision)"
    assert what.startswith("Cosine similarity") and "Example" not in what
    assert example.startswith("select") and example.endswith(";")


def test_the_relations_that_analysts_read_are_not_internal(space: str) -> None:
    kinds = ("table", "view", "materialized view")
    internal = {name for kind, name, comment, _ in objects(space) if kind in kinds and comment.startswith("Internal.")}
    assert {name for name in internal if not name.endswith("_live")} == PLUMBING


def test_everything_has_a_comment(space: str) -> None:
    found = objects(space)
    assert [f"{kind} {name}" for kind, name, comment, _ in found if not comment] == []
    assert len(found) > 100


def test_what_can_be_called_or_read_has_an_example(space: str) -> None:
    kinds = ("function", "procedure", "view", "materialized view")
    without = [
        f"{kind} {name}" for kind, name, comment, is_trigger in objects(space)
        if kind in kinds and not is_trigger and "\nExample: " not in (comment or "")
    ]  # fmt: skip
    assert without == []


@pytest.fixture(scope="session")
def demo(cluster18: Cluster) -> str:
    """The bundled places, embedded by the packaged model, with every text that the examples of comments ask for."""
    return cluster18.template("demo", fill_demo)


def fill_demo(url: str) -> None:
    migrate(url, "audience", model=None, weighting=None, measure=measure)
    with connect(url) as connection, Rejects() as rejects:
        space = open_space(connection, "audience")
        places = resources.folder("examples") / "places.json"
        with open_source(places, format=None, columns=Columns(), rejects=rejects) as source:
            load(connection, [source])
        for statement in KNOWN:
            connection.execute(statement)
        embed_space(connection, space, None)
        refresh(connection)
        connection.execute("call build_segmentation('interests')")
        quoted = {text for _, example in examples(url) for text in re.findall(r"'([^']+)'", example)}
        for text in sorted(text for text in quoted if "{" not in text):
            embed_query(connection, space, text, None)
        for statement in (*AUDIENCES, *SOURCES):
            connection.execute(statement)
        for relation in ("users", "entries"):
            make_map(connection, space, relation, "pca", None, 2)


def examples(url: str) -> list[tuple[str, str]]:
    """The examples of all comments, each with what it is the example of."""
    found = [(name, (comment or "").partition("\nExample: ")[2]) for _, name, comment, _ in objects(url)]
    return [(name, example) for name, example in found if example]


@pytest.mark.slow
def test_the_examples_run(demo: str) -> None:
    found = examples(demo)
    assert len(found) > 20
    for name, example in found:
        assert re.match(r"(select|insert|update|call)\b.*;$", example, re.DOTALL), name
        with connect(
            demo, autocommit=example.startswith(("call embed_", "call run(", "call require_autocommit"))
        ) as connection:
            try:
                shown = connection.execute(example.encode())
            except Exception as error:
                raise AssertionError(f"{name}: {example}") from error
            assert shown.description is None or shown.rowcount > 0 or "filter" in example, name
            connection.rollback()


# Markers


def test_volatility(space: str) -> None:
    """Immutable is what reads no table, volatile what writes; the rest is stable and may run in parallel."""
    tables = "|".join(sorted(RELATIONS))
    for name, _, volatile, parallel, _, kind, is_trigger, _, definition in rows(space, ROUTINES):
        if kind == "p" or is_trigger or name.partition("(")[0] in VOLATILE:
            assert volatile == "v", name
            continue
        reads = (
            re.search(rf"\b(from|join|into)\s+({tables}|pg_\w+)\b|\bembed\(", definition.partition("AS ")[2])
            is not None
        )
        if name.partition("(")[0] not in WRITES_A_QUERY:
            assert volatile == ("s" if reads or READS.search(definition) else "i"), name
        assert parallel == "s", name


def test_immutable_means_immutable(space: str) -> None:
    """What is immutable stands on no relation of the space."""
    query = """
        select p.proname, d.refobjid::regclass::text
        from pg_proc p
        join pg_depend d on d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.refclassid = 'pg_class'::regclass
        where p.pronamespace = 'audience'::regnamespace and p.provolatile = 'i'"""
    assert rows(space, query) == []


# What is called for every vector, and names nothing that search_path could change: setting it would take longer.
UNPINNED = {"check_factor(double precision)"}


def test_plpgsql_is_pinned(space: str) -> None:
    for name, language, _, _, strict, kind, _, config, definition in rows(space, ROUTINES):
        if kind == "p" and re.search(r"^\s+commit;", definition, re.MULTILINE):
            assert "set_config('search_path'" in definition, name
        elif language == "plpgsql" and name not in UNPINNED:
            assert "search_path=audience, public, pg_temp" in (config or []), name
            assert not strict, name
        elif language == "sql":
            assert "BEGIN ATOMIC" in definition, name


# Files


def listed(install: str) -> list[str]:
    folder = (SQL / install).parent
    lines = (SQL / install).read_text().splitlines()
    return [(folder / line.removeprefix("\\ir ")).relative_to(SQL).as_posix() for line in lines]


def sources() -> dict[str, str]:
    return {
        path.relative_to(SQL).as_posix(): path.read_text() for path in SQL.rglob("*.sql") if path.name != "install.sql"
    }


def test_every_file_is_installed_once() -> None:
    installs = [listed(install) for install in ("install.sql", "distributed/install.sql", "bi/install.sql")]
    assert sorted(name for names in installs for name in names) == sorted(sources())


WITHOUT_OBJECT = (
    "space_guard.sql", "vectors/key_tables.sql", "grants.sql",
    "distributed/distribute_tables.sql", "distributed/grants.sql", "distributed/refuse_others.sql",
    "distributed/fill_copies.sql",
)  # fmt: skip


def test_one_object_a_file_named_like_it() -> None:
    create = r"^create (?:or replace )?(?:materialized |unlogged )?(?:view|table|function|procedure) (\w+)"
    for name, text in sources().items():
        if name not in WITHOUT_OBJECT:
            stem = name.rpartition("/")[2].removesuffix(".sql").removesuffix("_by_vector")
            assert re.findall(create, text, re.MULTILINE) == [stem], name
            assert text.startswith("-- "), name


def test_no_error_is_swallowed() -> None:
    assert [name for name, text in sources().items() if re.search(r"when\s+others", text)] == []
