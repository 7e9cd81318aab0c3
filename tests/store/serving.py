"""Run an Oxigraph server beside the tests: on the machine itself, on a free port, stopped whatever happens."""

from __future__ import annotations

import socket
import subprocess
import sysconfig
import time
import urllib.request
from pathlib import Path

PROGRAM = Path(sysconfig.get_path("scripts")) / "oxigraph"


class Oxigraph:
    """Hold a server process; it can be killed and started again at the same address with what it had on disk."""

    def __init__(self, folder: Path | None = None, *, union: bool = True) -> None:
        self.folder = folder
        self.union = union
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [str(PROGRAM), "serve", "--bind", f"127.0.0.1:{self.port}"]
        if self.folder is not None:
            command += ["--location", str(self.folder)]
        if self.union:
            command.append("--union-default-graph")
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
            if self.process.poll() is not None:
                break
        self.stop()
        raise RuntimeError(f"{PROGRAM} does not answer on port {self.port}")

    def stop(self) -> None:
        """End the process at once: the store must stand that."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def update(self, text: str) -> None:
        """Run an update past everything that is tested here."""
        request = urllib.request.Request(self.address + "/update", text.encode())
        request.add_header("Content-Type", "application/sparql-update")
        urllib.request.urlopen(request, timeout=30).close()
