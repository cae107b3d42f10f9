"""What the runbooks say to type works, on the database and the broker that they are about."""

import re
import shlex
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine, text

from shared.domain.ids import new_id
from shared.domain.job import Priority
from shared.queue import Publisher
from shared.settings import RedisSettings
from tests.servers import Servers

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
_BLOCK, _INLINE = re.compile(r"```sql\n(.*?)```", re.DOTALL), re.compile(r"`(select [^`]+)`")


def queries() -> list[tuple[str, str]]:
    """Each with the page it is on; what people put in their own for is filled in."""
    found = []
    for page in sorted(RUNBOOKS.glob("*.md")):
        said = page.read_text()
        for query in (*_INLINE.findall(said), *";".join(_BLOCK.findall(said)).split(";")):
            words = re.sub("--.*", "", query).strip().rstrip(";")
            found.append((page.stem, words.replace("'JOB'", f"'{new_id()}'").replace("(PID)", "(0)")))
    return [(page, query) for page, query in found if query]


@pytest.mark.parametrize(("page", "query"), [pytest.param(*one, id=f"{one[0]}-{n}") for n, one in enumerate(queries())])
def test_the_database_answers(engine: Engine, page: str, query: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(query.replace(":", "\\:"))).all()


def test_messages_of_every_priority_are_counted(clean_servers: Servers) -> None:
    publisher = Publisher(RedisSettings())
    for priority in Priority:
        publisher.publish_job(new_id(), priority)
    publisher.publish_event(new_id())
    page = (RUNBOOKS / "README.md").read_text()
    (command,) = re.findall(r"`docker compose exec redis valkey-cli (eval [^`]+)`", page)
    broker = redis.Redis.from_url(clean_servers.environment["PARAPHE_REDIS_URL"])
    assert broker.execute_command(*shlex.split(command)) == len(Priority)
