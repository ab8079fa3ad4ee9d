"""Bodies of requests and answers. A field that we would ignore is refused."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from livemind_app.protocol import ModelStatus, Role
from livemind_app.session.events import Segment
from livemind_app.session.lanes import LaneName
from livemind_app.session.options import Options

# Whole numbers that JavaScript keeps exact.
Revision = Annotated[int, Field(ge=0, le=2**53 - 1, description="Grows with every draft of a session.")]
Text = Annotated[str, Field(description="The whole prompt as it stands, not a difference.")]
Changes = Annotated[
    dict[str, JsonValue], Field(description="Some of the options; an unknown name is refused.")
]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Nothing(Body):
    """`{}`, where a body says nothing."""


class NewSession(Body):
    options: Changes = Field(default_factory=dict)


class Draft(Body):
    revision: Revision
    text: Text


class Submit(Body):
    revision: Revision
    text: Text
    lanes: Annotated[
        list[LaneName] | None, Field(min_length=1, description="Those of the options by default.")
    ] = None


class Stop(Body):
    lane: Annotated[LaneName | None, Field(description="Only this one; all by default.")] = None


class Retry(Body):
    lane: LaneName


class Said(Body):
    prompt: str
    answer: str


class Clear(Body):
    turns: Annotated[list[Said], Field(description="What the chat goes on after; nothing by default.")] = []


BODIES = (NewSession, Draft, Submit, Stop, Retry, Clear, Said)
FIELDS = frozenset(name for model in BODIES for name in model.model_fields) | {
    *("last", "limit", "before", "format", "models", "prompts", "chars_per_minute"),
    "Last-Event-ID",
}


class Created(BaseModel):
    session: str = Field(description="A secret: whoever knows it reads and writes the session.")
    options: Options


class Configured(BaseModel):
    options: Options


class Offered(BaseModel):
    options: dict[str, dict[str, JsonValue]] = Field(
        description="By name: `kind`, `default`, and `choices`, of models with `titles`, or `low` and `high`."
    )


class Drafted(BaseModel):
    revision: int
    segments: list[Segment]


class Submitted(BaseModel):
    turn: int
    lanes: list[LaneName]


class Health(BaseModel):
    status: Literal["loading", "ready", "failed"]
    version: str
    models: list[ModelStatus]
    sessions: int
    unavailable: dict[LaneName, str] = Field(
        default_factory=dict, description="Lanes that these models cannot run, and what to do about it."
    )
    unavailable_choices: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="The same of what an option may be, by option and choice."
    )
    limited_options: dict[str, dict[Role, str]] = Field(
        default_factory=dict, description="Options that do nothing for one of the models, and why."
    )
    codes: dict[str, str] = Field(
        default_factory=dict,
        description="Stable names of these reasons and of models' details, by their text.",
    )


class Runs(BaseModel):
    runs: list[dict[str, str | int | float | None]]


class ErrorDetail(BaseModel):
    code: str
    message: str
    revision: int | None = None  # with `stale_revision`: the newest
    limit: int | None = None  # with `text_too_long`: in characters


class ErrorBody(BaseModel):
    error: ErrorDetail
