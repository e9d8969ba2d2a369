"""`kegai`: the local stack, its tokens, its demonstration and a look inside, each in one command."""
# ruff: noqa: PLC0415  every command imports what it needs itself, so that `kegai token` answers at once

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from typer.core import TyperGroup

from kegai.language import StackError, choose, say


class _Plain(TyperGroup):
    """A group whose commands end in one plain message where a person can do something about it."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except StackError as error:
            typer.echo(f"\n{error}", err=True)
            raise typer.Exit(1) from error
        except PermissionError as error:
            file = error.filename
            typer.echo(
                say(
                    f"无权访问 {file}：是否由另一账户启动？",
                    f"No access to {file}: was the stack started by another account?",
                ),
                err=True,
            )
            raise typer.Exit(1) from error


class Language(StrEnum):
    """The languages of the tool."""

    ZH = "zh"
    EN = "en"


app = typer.Typer(cls=_Plain, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
demo = typer.Typer(no_args_is_help=True)
app.add_typer(demo, name="demo", help="演示 · Watch the product do its job.")
audit = typer.Typer(no_args_is_help=True)
app.add_typer(audit, name="audit", help="审计链 · The chain of hashes.")
evidence = typer.Typer(no_args_is_help=True)
app.add_typer(evidence, name="evidence", help="佐证材料的文件 · The files of evidence.")


class Service(StrEnum):
    """The services that decide, and all of them."""

    ALL = "all"
    MEASURES = "measures"
    SOCIETIES = "societies"
    TALENT = "talent"

    @property
    def one(self) -> str | None:
        """Its name, None for all."""
        return None if self is Service.ALL else self.value


Services = Annotated[Service, typer.Option(help="哪个服务 · of which service")]


@app.callback()
def main(lang: Annotated[Language | None, typer.Option(help="默认随系统语言 · by locale")] = None) -> None:
    """科改通本地环境 · The local stack of Kegai."""
    choose(lang.value if lang else None)


@app.command()
def up() -> None:
    """启动全部，在后台运行 · Start everything; it stays up in the background."""
    from kegai.console import Console
    from kegai.local.stack import Stack
    from kegai.local.status import look, told
    from kegai.local.up import links
    from kegai.local.up import up as bring_up

    if not bring_up(Stack.from_environment(), Console()):
        stack = Stack.running()
        typer.echo(f"{told(look(stack))}\n\n{links(stack)}")


@app.command()
def down() -> None:
    """停止，保留数据 · Stop everything and keep the data."""
    from kegai.console import Console
    from kegai.local.down import exclusive, stop_everything
    from kegai.local.stack import Stack

    stack, console = Stack.running(), Console()
    with exclusive(stack.home, console):
        count = len(stop_everything(stack))
    console.say(
        say(f"已停止 {count} 个进程；数据保留在 {stack.home}", f"{count} processes stopped; data kept in {stack.home}")
    )


@app.command()
def reset() -> None:
    """停止，清空数据 · Stop everything and remove all data."""
    from kegai.console import Console
    from kegai.local.down import exclusive, stop_everything, wipe
    from kegai.local.stack import Stack

    stack, console = Stack.running(), Console()
    with exclusive(stack.home, console):
        stop_everything(stack)
        wipe(stack)
    console.say(say(f"{stack.home} 已清空", f"{stack.home} is empty again"))
    if stack.postgres_url or stack.kafka_bootstrap_given:
        console.say(say("给定的服务器保留其数据。", "A server that was given keeps its data."))


@app.command()
def status() -> None:
    """一句话概况、进程、滞后、待发布、搁置 · How it is: one sentence, then the figures."""
    from kegai.local.stack import Stack
    from kegai.local.status import look, told

    seen = look(Stack.running())
    typer.echo(told(seen))
    if not seen.well:
        raise typer.Exit(1)


@app.command()
def logs(
    name: Annotated[str | None, typer.Argument(help="measures-api, kafka …")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="行数 · how many")] = 40,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="持续输出 · go on")] = False,
) -> None:
    """日志 · The logs of one process or of all."""
    from kegai.local.logs import find, tail
    from kegai.local.stack import Stack

    for line in tail(find(Stack.running().home, name), lines, follow=follow):
        typer.echo(line)


@app.command()
def doctor(
    report: Annotated[Path | None, typer.Option(help="写入文本文件 · write one text file")] = None,
) -> None:
    """检查本机与本地环境 · Look at the machine and the stack; 1 if something is wrong."""
    from kegai.local import doctor as examination
    from kegai.local.stack import Stack

    stack, findings = Stack.running(), []
    for finding in examination.examine(stack):
        findings.append(finding)
        typer.echo(str(finding))
    if report is not None:
        examination.report(stack, findings, report)
        typer.echo(say(f"报告：{report}", f"report: {report}"))
    if any(finding.verdict is examination.Verdict.BAD for finding in findings):
        raise typer.Exit(1)


@app.command()
def token(
    role: Annotated[list[str], typer.Option(help="角色，可重复 · a role; may be repeated (docs/roles.md)")],
    unit: Annotated[str | None, typer.Option(help="单位代码 · a unit's code, e.g. CQKX-ZZ")] = None,
    hours: Annotated[float, typer.Option(min=0.01, help="有效小时数 · valid for hours")] = 12.0,
) -> None:
    """开发用访问令牌 · A development token."""
    from common.roles import ROLES
    from kegai.local.stack import Stack

    if unknown := [one for one in role if one not in ROLES]:
        word, known = unknown[0], ", ".join(ROLES)
        raise StackError(f"没有角色 {word}。可用角色：{known}", f"There is no role {word}. There are: {known}")
    keys = Stack.running().keys
    if not keys.private.exists():
        raise StackError("尚无密钥，请先运行：make up", "There are no keys yet. First: make up")
    typer.echo(keys.token(role, unit, seconds=int(hours * 3600)))


@app.command()
def seed(
    items: Annotated[Path | None, typer.Option(help="自备事项清单 CSV · a list of items of your own")] = None,
    milestones: Annotated[Path | None, typer.Option(help="自备节点清单 CSV · their milestones")] = None,
) -> None:
    """补齐种子数据 · Plant the seeds that are missing."""
    import asyncio

    from kegai.local.stack import Stack
    from kegai.seeds import plant

    stack = Stack.running()
    planting = plant(stack.url, stack.keys.token_for, typer.echo, items=items, milestones=milestones)
    typer.echo(str(asyncio.run(planting)))


@audit.command("verify")
def audit_verify(
    service: Services = Service.ALL,
    topic: Annotated[bool, typer.Option(help="是否核对主题 · compare the topic, too")] = True,
) -> None:
    """核对哈希链与主题 · Name the first event that was altered, dropped, swapped or hashed anew; 1 if there is one."""
    from kegai.operating.audit import audit as look
    from kegai.operating.audit import told
    from kegai.operating.places import Places, run

    sound = True
    for place in Places.known().deciding(service.one):
        found = run(look(place, with_topic=topic))
        typer.echo(told(place, found, with_topic=topic))
        sound = sound and not found.breaks
    if not sound:
        raise typer.Exit(1)


@evidence.command("check")
def evidence_check() -> None:
    """核对文件与记录 · Name files without a record, and records without their file; 1 if there are any."""
    from kegai.operating.evidence import compare, files_at, told
    from kegai.operating.places import Places, run

    (place,) = Places.known().deciding("measures")
    found = run(compare(place, files_at()))
    typer.echo(told(found))
    if not found.sound:
        raise typer.Exit(1)


@evidence.command("clean")
def evidence_clean(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只说明，不删除 · tell, remove nothing")] = False,
) -> None:
    """清理无记录的文件 · Remove files without a record that are older than an hour; 1 if records lack their file."""
    from kegai.operating.evidence import clean, files_at, told
    from kegai.operating.places import Places, run

    (place,) = Places.known().deciding("measures")
    found = run(clean(place, files_at(), dry_run=dry_run))
    typer.echo(told(found))
    count = len(found.orphans) + len(found.unfinished)
    if dry_run:
        typer.echo(say("仅为演练，未删除任何文件。", "A dry run: nothing was removed."))
    else:
        typer.echo(say(f"已删除 {count} 个文件。", f"{count} files removed."))
    if found.missing:
        raise typer.Exit(1)


@app.command()
def republish(
    service: Services = Service.ALL,
    aggregate: Annotated[list[UUID] | None, typer.Option(help="仅此对象，可重复 · only these; may be repeated")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只说明，不发送 · tell, send nothing")] = False,
) -> None:
    """主题丢失后重新发布 · Send again what a topic lacks, in order, while the relay stands aside."""
    from kegai.operating.places import Places, run
    from kegai.operating.republish import republish as send_again

    places = Places.known().deciding(service.one)
    sent = sum(run(send_again(place, aggregate or (), dry_run=dry_run)) for place in places)
    if dry_run:
        typer.echo(say("仅为演练，未发送任何内容。", "A dry run: nothing was sent."))
    elif sent:
        typer.echo(
            say(
                "由旧主题生成的视图不会自动接续，须据此重建（尚无命令）。",
                "Views that were built from a lost topic do not go on by themselves: "
                "they must be rebuilt from this one, for which there is no command yet.",
            )
        )


@app.command()
def trace(
    event: Annotated[str, typer.Argument(help="事件标识，或 <对象>@<版本> · its id, or <aggregate>@<version>")],
) -> None:
    """一个事件从请求到视图的经过 · An event's way from request to view, with times."""
    from kegai.operating.places import Places, run
    from kegai.operating.trace import told
    from kegai.operating.trace import trace as follow

    typer.echo(told(run(follow(Places.known(), event))))


@demo.command()
def advance() -> None:
    """再核验一个节点 · Verify one more milestone and time its way into the view."""
    import asyncio

    from kegai.demo import advance as demonstrate
    from kegai.local.stack import Stack

    stack = Stack.running()
    typer.echo(str(asyncio.run(demonstrate(stack.url, stack.keys.token_for))))
