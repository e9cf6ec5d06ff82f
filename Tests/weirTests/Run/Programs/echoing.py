"""A server that echoes: echoing.py HOST PORT COUNT; prints the port of each client, and how many bytes came from it.

It listens once a line comes in, and ends after so many clients.
"""
import socket, sys, threading

HOST, PORT, COUNT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
lock = threading.Lock()


def say(*words):
    with lock: print(*words, flush=True)


def serve(a, address):
    count = 0
    assert a.getpeername() == address and a.getsockname()[1] == PORT
    try:
        while part := a.recv(65536):
            count += len(part)
            a.sendall(part)
        a.shutdown(socket.SHUT_WR)
    except OSError: pass
    say('client', address[1], count)
    a.close()


s = socket.socket(socket.AF_INET6 if ':' in HOST else socket.AF_INET)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((HOST, PORT))
say('bound')
sys.stdin.readline()
s.listen(64)
say('listening')
workers = []
for _ in range(COUNT):
    workers.append(threading.Thread(target=serve, args=s.accept()))
    workers[-1].start()
s.close()
for worker in workers: worker.join()
say('closed')
sys.stdin.readline()
