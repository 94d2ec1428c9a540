"""The bell: tasks take ids and call the work packages. Running one twice does no harm."""

from celery import shared_task

from .importing import work as importing


@shared_task
def run_import(import_id: int) -> None:
    """Read one label file; the further sets found in it are told to other workers."""
    for further in importing.run(import_id):
        run_import.delay(further)


@shared_task
def sweep_annotation_work() -> None:
    """Announce again what nobody works on although somebody could."""
    for import_id in importing.due():
        run_import.delay(import_id)
