"""The local Discord serves the tests of other projects."""

import asyncio
import sys
from pathlib import Path

CONFTEST = 'pytest_plugins = ["playground.discord.pytest_plugin"]\n'
TEST = """
import aiohttp
import pytest

@pytest.mark.asyncio
async def test_bot(local_discord, local_world):
    headers = {"Authorization": f"Bot {local_discord.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        path = f"{local_discord.api_url}/v10/channels/{local_world.general['id']}/messages"
        async with session.post(path, json={"content": "hello"}) as response:
            assert response.status == 200
    assert [m.data["content"] for m in local_world.messages("general", "ada")] == ["hello"]
"""
ALONE = """
import sys
import playground.discord.pytest_plugin
ours = {name.partition(".")[0] for name in sys.modules}
assert not ours & {"bot", "jobqueue", "inference", "bench", "tests", "discord", "redis"}, ours
within = {n for n in sys.modules if n.startswith("playground.")}
assert all(n.startswith("playground.discord") for n in within), within
"""


async def run(*command: str, folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()


async def test_a_foreign_test_has_it_as_a_fixture(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_foreign.py").write_text(TEST)
    await run("-m", "pytest", "-p", "no:cacheprovider", str(tmp_path), folder=tmp_path)


async def test_it_imports_nothing_of_the_rest(tmp_path: Path) -> None:
    await run("-c", ALONE, folder=tmp_path)
