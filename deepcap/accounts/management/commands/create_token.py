"""``manage.py create_token USERNAME``: a new API key on stdout, and nothing else."""

from django.core.management.base import BaseCommand, CommandError

from deepcap.accounts.models import Scope, User
from deepcap.accounts.services import issue_token


class Command(BaseCommand):
    help = "Print a new API token of a user."

    def add_arguments(self, parser):
        parser.add_argument("username")
        parser.add_argument("--name", default="command line", help="what the token is for")
        parser.add_argument(
            "--scope",
            action="append",
            default=[],
            choices=Scope.values,
            help="for a service that may do no more than this; may be repeated",
        )

    def handle(self, *, username, name, scope, **options):
        try:
            user = User.objects.get(username=username)
        except User.DoesNotExist:
            raise CommandError(f"There is no user named {username}.") from None
        self.stdout.write(issue_token(user=user, name=name, scopes=scope))
