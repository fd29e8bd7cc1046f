"""Every hour what is new in the tables goes through to the audiences; at four in the morning segments are built, too.

A DAG of Airflow 2 or 3 with the providers common-sql and postgres, and a connection `shop` to the database, whose role
has added the sources of the space `audience`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow import DAG
from airflow.providers.common.sql.operators.sql import SQLCheckOperator, SQLExecuteQueryOperator
from airflow.providers.standard.operators.bash import BashOperator

RUN = "call audience.run(segmentations => {{ 'true' if data_interval_end.hour == 4 else 'false' }})"

FAULTS = """
select count(*) = 0
from audience.runs
where run_id = (select max(run_id) from audience.runs) and (fault is not null or finished_at is null)
"""

with DAG(
    "audiences",
    schedule="5 * * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
):
    run = SQLExecuteQueryOperator(task_id="run", conn_id="shop", sql=RUN, autocommit=True)
    check = SQLCheckOperator(task_id="check", conn_id="shop", sql=FAULTS)
    export = BashOperator(
        task_id="export",
        bash_command="pgaudience export audience skiers --to /exports/skiers-{{ ts_nodash }}.csv --since-last crm",
    )
    run >> check >> export
