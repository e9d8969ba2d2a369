"""Why a sheet, or one line of it, is not taken: each reason with a code of its own."""

from typing import Final

from common.decision import Kind, Refusal

SHEET_BYTES_MAX: Final = 10 * 1024 * 1024
ROWS_MAX: Final = 20_000
"""Lines below the header: five times the largest list of items that was asked for, with three milestones each."""
COLUMNS_MAX: Final = 100
UNPACKED_BYTES_MAX: Final = 128 * 1024 * 1024
"""What a workbook of ``SHEET_BYTES_MAX`` may hold when it is unpacked."""
RATIO_MAX: Final = 200
"""How many times larger a part of a workbook may become; sheets that people fill in: ten to thirty times."""

TOO_LARGE = Refusal(
    "sheet.too-large", zh="表格超过 {most} MiB", en="The sheet is larger than {most} MiB", kind=Kind.TOO_LARGE
)
TOO_MANY_ROWS = Refusal(
    "sheet.too-many-rows",
    zh="表格超过 {most} 行，请分批导入",
    en="The sheet has more than {most} lines: import it in parts",
    kind=Kind.TOO_LARGE,
)
TOO_WIDE = Refusal(
    "sheet.too-wide",
    zh="表格超过 {most} 列",
    en="The sheet has more than {most} columns",
    kind=Kind.TOO_LARGE,
)
UNPACKS_TOO_LARGE = Refusal(
    "sheet.unpacks-too-large",
    zh="表格解压后过大，未打开",
    en="The sheet would become too large when unpacked, and was not opened",
    kind=Kind.TOO_LARGE,
)
KIND_NOT_TAKEN = Refusal(
    "sheet.kind-not-taken",
    zh="内容不是 XLSX 或 CSV（UTF-8、GB18030）表格，或文件不完整、含宏",
    en="This is no XLSX and no CSV sheet (UTF-8 or GB18030), or not all of one, or one with macros",
    kind=Kind.INVALID,
)
EMPTY = Refusal("sheet.empty", zh="表格没有内容", en="There is nothing in the sheet", kind=Kind.INVALID)
UNKNOWN_COLUMNS = Refusal(
    "sheet.unknown-columns",
    zh="不认识的列：{columns}",
    en="The sheet has columns that are not known: {columns}",
    kind=Kind.INVALID,
)
COLUMN_TWICE = Refusal(
    "sheet.column-twice",
    zh="同一列出现两次：{columns}",
    en="The sheet has columns twice: {columns}",
    kind=Kind.INVALID,
)
MISSING_COLUMNS = Refusal(
    "sheet.missing-columns",
    zh="缺少必需的列：{columns}",
    en="The sheet lacks columns that are required: {columns}",
    kind=Kind.INVALID,
)
WRONG_TOKEN = Refusal(
    "sheet.wrong-token",
    zh="试运行编号与此表格或方案不符，请重新试运行",
    en="The token is not that of a dry run of this sheet for this plan: make one anew",
    kind=Kind.INVALID,
)

NO_CODE = Refusal(
    "sheet.no-code",
    zh="此行之前没有可归属的事项代码",
    en="There is no item that this line belongs to",
    kind=Kind.INVALID,
)
KEY_TWICE = Refusal(
    "sheet.key-twice",
    zh="事项代码 {code} 在表中出现两次（第 {first} 行与第 {other} 行）",
    en="The sheet has the code {code} twice, in the lines {first} and {other}",
    kind=Kind.INVALID,
)
MILESTONE_TWICE = Refusal(
    "sheet.milestone-twice",
    zh="该事项的节点 {number} 在表中出现两次",
    en="The sheet has milestone {number} of this item twice",
    kind=Kind.INVALID,
)
CONTRADICTION = Refusal(
    "sheet.contradiction",
    zh="与该事项首行的内容不一致",
    en="This is otherwise than in the item's first line",
    kind=Kind.INVALID,
)
NO_VALUE = Refusal(
    "sheet.formula-without-value",
    zh="公式没有计算结果，或结果为错误值，请改为数值",
    en="The formula has no value, or an error for one: put the value in its place",
    kind=Kind.INVALID,
)
REASON_NEEDED = Refusal(
    "sheet.reason-needed",
    zh="调整日期须填写调整原因",
    en="A date is moved for a reason: it has to be given",
    kind=Kind.INVALID,
)
DIFFERS = Refusal(
    "sheet.differs",
    zh="事项现为“{now}”，表格不能更改此项",
    en="The item says “{now}”, and no sheet changes that",
)
MOVED_ON = Refusal(
    "sheet.moved-on",
    zh="此日期已另行调整为 {now}，表格中为调整前的日期",
    en="The date was moved to {now}; the sheet has one from before",
)
CHANGED_SINCE = Refusal(
    "sheet.changed-since",
    zh="试运行之后事项已有变化（试运行时版本 {seen}，现为 {now}）",
    en="The item has changed since the dry run: its version was {seen} and is {now}",
)
YES_OR_NO: Final = {"zh": "应为“是”或“否”", "en": "Should be 是 (yes) or 否 (no), true or false"}
"""How a cell is to be filled that has one of two."""
