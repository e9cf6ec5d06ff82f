"""Drives a relay with the package toxiproxy-python: arguments are the API's port and an echo server's."""
import socket
import sys
import time

from toxiproxy import Toxiproxy

api, echo = int(sys.argv[1]), sys.argv[2]


def round_trip(proxy):
    host, port = proxy.listen.rsplit(":", 1)
    start = time.monotonic()
    with socket.create_connection((host, int(port)), timeout=10) as peer:
        peer.sendall(b"hello")
        assert peer.recv(5, socket.MSG_WAITALL) == b"hello"
    return time.monotonic() - start


server = Toxiproxy()
server.update_api_consumer("127.0.0.1", api)
assert server.running()
server.destroy_all()
proxy = server.create(name="echo", upstream=echo, listen="127.0.0.1:0")
assert proxy.enabled and not proxy.listen.endswith(":0")
proxy.add_toxic(type="latency", attributes={"latency": 400, "jitter": 0})
toxic = proxy.toxics()["latency_downstream"]
assert (toxic.type, toxic.stream, toxic.attributes["latency"]) == ("latency", "downstream", 400)
assert round_trip(proxy) >= 0.4
proxy.destroy_toxic("latency_downstream")
assert proxy.toxics() == {}
round_trip(proxy)
proxy.disable()
try:
    round_trip(proxy)
    raise SystemExit("a disabled proxy takes clients")
except ConnectionRefusedError:
    pass
proxy.enable()
round_trip(proxy)
proxy.add_toxic(type="noop", name="n", stream="upstream", toxicity=0.5)
server.reset()
assert server.get_proxy("echo").toxics() == {}
server.populate([{"name": "a", "upstream": "127.0.0.1:9", "listen": "127.0.0.1:0"}])
assert sorted(server.proxies()) == ["a", "echo"]
server.destroy_all()
assert server.proxies() == {}
print("done")
