"""What is shown of BuildKit's output, and how a failure is reported."""

from paas.domain.builds.buildkit import BuildKitLines, failed_step

BUILD = b"""\
#1 [internal] load build definition from Dockerfile
#1 sha256:d1548e744de391aa10cae44ae2a5902ce02e6b809e369aa680b2e3c55d87027b
#1 transferring dockerfile: 277B 0.0s done
#1 DONE 0.1s

#4 [1/4] FROM docker.io/library/busybox:test
#4 sha256:3ac633100c1dfd891b3ba08c4c262ca2fbf0f327dfb412895db892b70fef0eb9
#4 CACHED

#5 [2/4] RUN make
#5 sha256:e4ac2e89a592be61f3c7c607c571a72b79c7b685f0b9a5a4ebf440d8cc6d33cb
#5 0.449 hello you
#5 0.450   indented\x1b[1m
#5 DONE 1.5s

#8 [3/4] COPY . .
#8 DONE 0.0s

#10 exporting to image
#10 sha256:e8c613e07b0b7ff33893b694f7759a10d42e180f2b4dc349fb57dc6b71dcab00
#10 exporting layers 0.1s done
#10 writing image sha256:2c9e6ee98adedfa2904b662690aa7db2f1e7d60838eaa5f2b2e8ff2762f8ddef done
#10 DONE 0.1s
"""

FAILURE = b"""\
#5 [2/2] RUN false
#5 sha256:c627a4bfd421d3dd38254c16d55971d959b3c10eadb14cd2f7c5fa6b9df413c5
#5 ERROR: executor failed running [/bin/sh -c false]: exit code: 1
------
 > [2/2] RUN false:
------
executor failed running [/bin/sh -c false]: exit code: 1
"""

NO_IMAGE = b"""\
#3 [internal] load metadata for docker.io/library/nosuch:test
#3 ERROR: failed to do request: Head "https://registry-1.docker.io/v2/": no such host
------
 > [internal] load metadata for docker.io/library/nosuch:test:
------
failed to solve with frontend dockerfile.v0: failed to create LLB definition: failed to do \
request: Head "https://registry-1.docker.io/v2/": no such host
"""

SYNTAX = b"""\
#2 [internal] load .dockerignore
#2 DONE 0.0s
failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse \
error line 2: Unknown flag: network
"""


def _read(printed: bytes) -> tuple[BuildKitLines, list[bytes]]:
    lines = BuildKitLines()
    return lines, [shown for raw in printed.split(b"\n") for shown in lines.line(raw)]


def test_steps_and_their_output_are_shown() -> None:
    """Each step once, with what it prints; nothing of what BuildKit does for itself."""
    assert _read(BUILD)[1] == [
        b"-----> [1/4] FROM docker.io/library/busybox:test (cached)",
        b"-----> [2/4] RUN make",
        b"       hello you",
        b"         indented\x1b[1m",
        b"-----> [3/4] COPY . .",
        b"-----> Storing the image",
    ]


def test_steps_at_the_same_time() -> None:
    """Where the output of two steps mixes, each change names the step."""
    shown = _read(
        b"#5 [a 1/2] RUN x\n#6 [b 1/2] RUN y\n#5 0.1 one\n#6 0.2 two\n#5 0.3 three\n"
        b"#5 DONE 0.4s\n#6 DONE 0.4s"
    )[1]
    assert shown == [
        b"-----> [a 1/2] RUN x",
        b"       one",
        b"-----> [b 1/2] RUN y",
        b"       two",
        b"-----> [a 1/2] RUN x",
        b"       three",
    ]


def test_a_step_that_fails() -> None:
    """The error names the step, and how it ended."""
    lines, shown = _read(FAILURE)
    assert shown == [b"-----> [2/2] RUN false"]
    assert failed_step(lines) == "The step [2/2] RUN false failed: it exited with status 1."


def test_an_image_that_cannot_be_fetched() -> None:
    """What BuildKit does for itself is no step of the user's."""
    lines, _ = _read(NO_IMAGE)
    assert failed_step(lines) == (
        "The image could not be built: failed to do request: Head "
        '"https://registry-1.docker.io/v2/": no such host.'
    )


def test_a_dockerfile_that_is_wrong() -> None:
    """The reason is reported without BuildKit's own words for its parts."""
    lines, _ = _read(SYNTAX)
    assert failed_step(lines) == (
        "The image could not be built: dockerfile parse error line 2: Unknown flag: network."
    )


def test_no_word_at_all() -> None:
    """A client that was killed leaves a sentence, too."""
    assert failed_step(BuildKitLines()) == "The image could not be built: it said nothing."
