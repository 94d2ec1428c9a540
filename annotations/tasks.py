"""The bell: tasks take ids and call the work packages. Running one twice does no harm."""

from celery import shared_task

from .combine import due as due_combinations
from .combine import run as run_combination_work
from .derive import due as due_derivations
from .derive import run as run_derivation_work
from .importing import work as importing
from .statistics import recount_all
from .statistics.recount import recount


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
    for derivation_id in due_derivations():
        run_derivation.delay(derivation_id)
    for combination_id in due_combinations():
        run_combination.delay(combination_id)


@shared_task
def run_combination(combination_id: int) -> None:
    """Make a dataset from others, for one turn, then pass the message on while there is more to do."""
    if run_combination_work(combination_id):
        run_combination.delay(combination_id)


@shared_task
def run_derivation(derivation_id: int) -> None:
    """Make annotation data from others, for one turn, then pass the message on while there is more to do."""
    if run_derivation_work(derivation_id):
        run_derivation.delay(derivation_id)


@shared_task
def recount_annotations() -> None:
    """Compare the stored counts of annotation data with the rows they count."""
    recount_all()


@shared_task
def recount_annotation_data(annotation_data_id: int) -> None:
    """Compare the stored counts of one annotation data with the rows they count."""
    recount(annotation_data_id)
