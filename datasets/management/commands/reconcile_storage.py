"""``manage.py reconcile_storage [--repair]``"""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from datasets.blobs.reconcile import reconcile, repair


class Command(BaseCommand):
    help = (
        "Reports objects without rows and rows without objects, and with --repair puts right what can be. "
        "Exit status 0 when nothing is left to report, 1 otherwise."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="Remove stray objects, correct rows.")

    def handle(self, *args: Any, **options: Any) -> None:
        found = left = 0
        for finding in reconcile():
            found += 1
            repaired = options["repair"] and repair(finding)
            left += not repaired
            self.stdout.write(f"{finding}{' - repaired' if repaired else ''}")
        self.stdout.write(f"{found} found, {found - left} repaired.")
        if left:
            sys.exit(1)
