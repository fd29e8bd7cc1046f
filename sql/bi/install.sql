\ir users.sql
\ir entries.sql
\ir status.sql
