\ir users.sql
\ir entries.sql
\ir status.sql
\ir segments.sql
\ir segment_members.sql
\ir segment_entries.sql
\ir segment_attributes.sql
\ir segment_history.sql
