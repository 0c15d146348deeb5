"""Apache Kafka itself, as published for Maven: fetched once, kept in a cache folder of the user."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.servers.required import Missing

VERSION = "4.4.0"
OLDEST_JAVA = 17
FETCH_SECONDS = 600

# The tools API is only for plug-ins of the console tools, and is not published for every version.
POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>wince</groupId>
  <artifactId>broker</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{VERSION}</version>
      <exclusions>
        <exclusion>
          <groupId>org.apache.kafka</groupId>
          <artifactId>kafka-tools-api</artifactId>
        </exclusion>
      </exclusions>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>2.25.5</version>
    </dependency>
  </dependencies>
</project>
"""
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def kafka_jars() -> Path:
    """Return the folder of jars, fetching them if they are not there. Raises Missing without Java 17 or Maven."""
    _check_java()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wince"
    folder = cache / f"kafka-{VERSION}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        _fetch(folder)
    return folder


def _check_java() -> None:
    if shutil.which("java") is None:
        raise Missing("java is not on PATH")
    said = subprocess.run(("java", "-version"), capture_output=True, text=True, check=False, timeout=60).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < OLDEST_JAVA:
        raise Missing(f"Java {OLDEST_JAVA} is needed, found {said.splitlines()[:1]}")


def _fetch(folder: Path) -> None:
    """Fetch into a folder beside, then rename: who else fetches at the same time sees all or nothing."""
    if shutil.which("mvn") is None:
        raise Missing("mvn is not on PATH, to fetch Apache Kafka with")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as made:
        pom, jars = Path(made) / "pom.xml", Path(made) / "jars"
        pom.write_text(POM)
        command = ("mvn", "-q", "-B", "-f", str(pom), COPY, "-DincludeScope=runtime", f"-DoutputDirectory={jars}")
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS)
        if done.returncode != 0:
            raise Missing(f"mvn cannot fetch Apache Kafka {VERSION}: {done.stdout[-500:]}")
        try:
            jars.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
