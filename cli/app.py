"""The command `afin`: a tree of nouns and verbs, and the sentences of its help."""

import typer

from cli.check_data_command import check_data
from cli.client_command import client_app
from cli.company_command import company_app
from cli.demo_command import demo
from cli.doctor_command import doctor
from cli.ending import EXIT_CODES
from cli.erasure_command import erasure_app
from cli.eval_command import evaluation
from cli.experiment_command import experiment_app
from cli.index_command import index_app
from cli.key_command import key_app
from cli.quarantine_command import quarantine_app
from cli.recommend_command import recommend
from cli.run_command import cancel, list_runs, retry, run_app
from cli.schedule_command import schedule_app
from cli.up_command import up
from cli.watermark_command import watermark

ENDINGS = "Exit codes: " + "; ".join(f"{code} {words}" for code, words in EXIT_CODES.items()) + "."

app = typer.Typer(
    name="afin",
    help="Tells each client of a payments company which companies they are likely to pay next.",
    epilog=ENDINGS,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
HERE, WORK, DATA, INDEX = "On this machine", "Pipelines", "Data", "Recommendations and their index"
app.command(rich_help_panel=HERE)(up)
app.command(rich_help_panel=HERE)(demo)
app.command("check-data", rich_help_panel=HERE)(check_data)
app.command(rich_help_panel=HERE)(doctor)
app.add_typer(key_app, name="key", rich_help_panel=HERE)
app.add_typer(run_app, name="run", rich_help_panel=WORK)
app.command("runs", rich_help_panel=WORK, help="Short for `afin run list`.")(list_runs)
app.command("retry", rich_help_panel=WORK, help="Short for `afin run retry`.")(retry)
app.command("cancel", rich_help_panel=WORK, help="Short for `afin run cancel`.")(cancel)
app.add_typer(schedule_app, name="schedule", rich_help_panel=WORK)
app.add_typer(quarantine_app, name="quarantine", rich_help_panel=WORK)
app.command(rich_help_panel=DATA)(watermark)
app.add_typer(company_app, name="company", rich_help_panel=DATA)
app.add_typer(client_app, name="client", rich_help_panel=DATA)
app.add_typer(erasure_app, name="erasure", rich_help_panel=DATA)
app.command(rich_help_panel=INDEX)(recommend)
app.add_typer(index_app, name="index", rich_help_panel=INDEX)
app.add_typer(experiment_app, name="experiment", rich_help_panel=INDEX)
app.command("eval", rich_help_panel=INDEX)(evaluation)
