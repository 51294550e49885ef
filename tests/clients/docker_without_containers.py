"""A Docker that runs llmsim without a container, so that the recipe for Testcontainers is run where
there is none: a plugin for pytest."""

from types import SimpleNamespace

from testcontainers.core import container
from testcontainers.core.config import ConnectionMode, testcontainers_config

import llmsim


class Client:
    """What Testcontainers asks of Docker."""

    def create(self, image, command, ports, **settings):
        assert image.startswith("llmsim:")
        words = command.split()
        assert words[:5] == ["serve", "--host", "0.0.0.0", "--port", *ports]
        self.server = llmsim.Server({"latency": {"profile": words[-1]}})
        container = SimpleNamespace(id="1", short_id="1", status="running")
        container.reload = lambda: None
        container.remove = lambda **_: self.server.close()
        return container

    def start(self, container):
        self.server.start()

    def get_connection_mode(self):
        return ConnectionMode.docker_host

    def host(self):
        return "127.0.0.1"

    def port(self, container_id, port):
        assert port == 8080
        return self.server.url.rpartition(":")[2]

    client = SimpleNamespace(close=lambda: None)


def pytest_configure(config):
    testcontainers_config.ryuk_disabled = True
    container.DockerClient = Client
