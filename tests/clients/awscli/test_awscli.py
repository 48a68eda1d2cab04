"""The aws command line, as somebody types it in a terminal."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

AWS = Path(sys.executable).with_name("aws")


@pytest.fixture
def aws(server, tmp_path):
    """Runs `aws dynamodb …` and returns what it printed, as JSON where it is that."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "a",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL_DYNAMODB": server.endpoint,
        "AWS_PAGER": "",
    }

    def run(*arguments, fails_with=None):
        done = subprocess.run(
            [AWS, "dynamodb", *arguments], env=environment, capture_output=True, text=True
        )
        if fails_with:
            assert done.returncode != 0, done.stdout
            assert fails_with in done.stderr, done.stderr
            return None
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run


def test_a_session_at_the_terminal(aws, server):
    aws(
        "create-table", "--table-name", "Music",
        "--attribute-definitions", "AttributeName=Artist,AttributeType=S",
        "AttributeName=SongTitle,AttributeType=S",
        "--key-schema", "AttributeName=Artist,KeyType=HASH",
        "AttributeName=SongTitle,KeyType=RANGE",
        "--billing-mode", "PAY_PER_REQUEST",
    )  # fmt: skip
    aws("wait", "table-exists", "--table-name", "Music")
    assert aws("list-tables") == {"TableNames": ["Music"]}
    for number in range(3):
        item = {
            "Artist": {"S": "No One You Know"},
            "SongTitle": {"S": f"Call Me Today {number}"},
            "Awards": {"N": str(number)},
        }
        aws("put-item", "--table-name", "Music", "--item", json.dumps(item))
    key = json.dumps({"Artist": {"S": "No One You Know"}, "SongTitle": {"S": "Call Me Today 1"}})
    got = aws("get-item", "--consistent-read", "--table-name", "Music", "--key", key)
    assert got["Item"]["Awards"] == {"N": "1"}
    updated = aws(
        "update-item", "--table-name", "Music", "--key", key,
        "--update-expression", "SET Awards = Awards + :n",
        "--expression-attribute-values", '{":n": {"N": "10"}}',
        "--return-values", "UPDATED_NEW",
    )  # fmt: skip
    assert updated == {"Attributes": {"Awards": {"N": "11"}}}
    server.keep_port()
    server.kill()
    server.start()
    found = aws(
        "query", "--table-name", "Music", "--no-scan-index-forward",
        "--key-condition-expression", "Artist = :a",
        "--expression-attribute-values", '{":a": {"S": "No One You Know"}}',
        "--projection-expression", "Awards",
    )  # fmt: skip
    assert [item["Awards"]["N"] for item in found["Items"]] == ["2", "11", "0"]
    assert aws("scan", "--table-name", "Music", "--max-items", "2")["Count"] == 3
    aws("delete-table", "--table-name", "Music")
    aws("wait", "table-not-exists", "--table-name", "Music")
    assert aws("list-tables") == {"TableNames": []}


def test_errors_are_shown_as_of_dynamodb(aws):
    aws(
        "describe-table", "--table-name", "Nowhere",
        fails_with="An error occurred (ResourceNotFoundException) when calling the DescribeTable "
        "operation: Requested resource not found: Table: Nowhere not found",
    )  # fmt: skip
    aws(
        "create-backup", "--table-name", "Nowhere", "--backup-name", "none",
        fails_with="An error occurred (UnknownOperationException) when calling the CreateBackup",
    )  # fmt: skip
