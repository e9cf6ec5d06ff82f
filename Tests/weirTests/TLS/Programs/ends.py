# A TLS server for one client: prints its port, then how what the client sent ended.
# ends.py MODE CERTIFICATE KEY [CA]: half answers after the client's end; cut answers and ends without close_notify; first says bye and
# ends before the client does; protocol prints the protocol of ALPN; client asks for a certificate of the client.
import socket
import ssl
import sys

mode, certificate, key = sys.argv[1:4]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
context.set_alpn_protocols(["x/1", "h2"])
if mode == "client":
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(sys.argv[4])
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
raw, _ = listener.accept()
raw.settimeout(20)
try:
    peer = context.wrap_socket(raw, server_side=True, suppress_ragged_eofs=False)
    if mode == "first":
        peer.sendall(b"bye")
        peer.unwrap()
        sys.exit(0)
    count = 0
    while part := peer.recv(65536):
        count += len(part)
    print("close_notify", count, peer.selected_alpn_protocol(), flush=True)
    peer.sendall(b"got %d" % count)
    if mode != "cut":
        peer.unwrap()
except (ssl.SSLError, OSError) as error:
    print(type(error).__name__, flush=True)
raw.close()
