"""What pgBackRest 2.45 says of an archive with damaged files, read as sentences."""

from paas.adapters.datastores.postgresql.archive_damage import damage

# Each line with its time, its process and its level.
SAID = """\
2026-11-29 19:19:08.488 P01   INFO: invalid checksum '20261129-191841F/pg_data/base/1/1247.zst'
2026-11-29 19:19:08.488 P01   INFO: invalid checksum '20261129-191841F/pg_data/base/1/1249.zst'
2026-11-29 19:19:20.123 P01   INFO: file missing '20261201-000000F/pg_data/base/5/3712.zst'
2026-11-29 19:19:43.497 P01   INFO: invalid result 15-1/0000000100000000/000000010000000000000030-\
ce15b00041de1bcfb900b003b8c674141d891b17.zst: [95] raised from local-1 protocol: unable to flush
                                    [CryptoError] on retry after 0ms
2026-11-29 19:19:43.823 P00 DETAIL: archiveId: 15-1, wal start: 000000010000000000000026
2026-11-29 19:19:43.823 P00   INFO: stanza: main
                                    status: error
"""


def test_backups_are_counted_and_log_files_named() -> None:
    """Files of a backup may be many, as where one object has them all."""
    assert damage(SAID.splitlines()) == [
        "Of the backup 20261129-191841F, 2 files cannot be read, such as pg_data/base/1/1247.zst.",
        "Of the backup 20261201-000000F, 1 file cannot be read, such as pg_data/base/5/3712.zst.",
        "15-1/0000000100000000/000000010000000000000030-"
        "ce15b00041de1bcfb900b003b8c674141d891b17.zst is missing or damaged.",
    ]


def test_nothing_is_said_of_an_archive_that_is_whole() -> None:
    """Nor of what is no such line."""
    assert damage(["2026-11-29 19:19:04.548 P00   INFO: verify command end: completed"]) == []
