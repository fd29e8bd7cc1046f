-- What is missing drops out, with the punctuation and the words that go with it.
select
    entry_text('Milk', '{"aisle": "milk", "department": "dairy"}', t.template) as both,
    entry_text('Milk', '{"aisle": "milk"}', t.template) as first_only,
    entry_text('Milk', '{"department": "dairy"}', t.template) as second_only,
    entry_text('Milk', '{}', t.template) as neither
from (
    values
        ('{entry} — {aisle}, {department}'),
        ('{entry} ({aisle}, {department})'),
        ('{entry} ({aisle}) in {department}'),
        ('{entry} (aisle {aisle} [of {department}])'),
        ('{entry}, aisle: {aisle}; department: {department}.'),
        ('{aisle}: {entry} | {department}'),
        ('{department} > {aisle} > {entry}'),
        ('{entry} from the {aisle} aisle, {department} department'),
        ('A product. Aisle {aisle}, {department}: {entry}'),
        ('{entry}{aisle}, {department}'),
        ('{aisle} / {department}')
) t (template);

-- Rows as sentences.
select entry_text(null, r.attributes, 'Customer of {age} years, job: {job}, married: {married}. Balance {balance} EUR.')
from (
    values
        ('{"age": 58, "job": "management", "married": "yes", "balance": 2143}'::jsonb),
        ('{"job": "management", "married": "yes", "balance": 0.5}'),
        ('{"age": 58, "married": "yes", "balance": null}'),
        ('{"age": 58, "job": " "}'),
        ('{}')
) r (attributes);

-- Several values are a list; objects are JSON; an attribute called entry does not hide the entry.
select entry_text('Milk', '{"tags": ["white", " ", "cold", 7]}', '{entry}: {tags}');
select entry_text('Milk', '{"tags": [], "size": {"litres": 1}}', '{entry}: {tags}, {size}');
select entry_text('Milk', '{"entry": "Beer", "vegan?": false}', '{entry}, { vegan? }');

-- Braces, and brackets around no value, are text.
select entry_text('Milk', '{}', '{{{entry}}} (from the shop) :-)');
select entry_text('Mi{lk}', '{"a": "{entry}"}', '{entry} {a}');

\set VERBOSITY terse
select entry_text('Milk', '{}', 'a product');
select entry_text('Milk', '{}', '{entry} {');
select entry_text('Milk', '{}', '{entry} { }');
select entry_text('Milk', '{}', '{a{entry}}');
\set VERBOSITY default

-- A space refuses such a template too.
update space set entry_template = '{entry} — {}';
update space set entry_template = '';

-- The template of the space says what is embedded; vectors of the former texts stay in use until they are made anew.
update entries set attributes = '{"kind": "ski resort"}' where entry like 'Ski %';
select entries_embedded, entries_pending, entries_outdated from status;
update space set entry_template = '{entry} ({kind})';
select entries_embedded, entries_pending, entries_outdated from status;
select entry, text, is_current from entry_texts order by entry_key;
select entry, users from search_entries('ski', k => 2);
