"""64 threads that connect 20 times each, and 200 children at once: crowd.py HOST PORT; HOST:PORT echoes.

The own ports of the connections go to standard error, one a line.
"""
import os, socket, sys, threading

HOST, PORT = sys.argv[1], int(sys.argv[2])


def visit(number):
    with socket.create_connection((HOST, PORT)) as s:
        os.write(2, b'port %d\n' % s.getsockname()[1])
        data = b'%d' % number * 50
        s.sendall(data)
        answer = b''
        while len(answer) < len(data): answer += s.recv(len(data))
        return answer == data and s.getpeername() == (HOST, PORT)


good = []
threads = [threading.Thread(target=lambda: good.extend(visit(n) for n in range(20))) for _ in range(64)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(good), all(good))

children = []
for number in range(200):
    child = os.fork()
    if child == 0: os._exit(0 if visit(number) else 1)
    children.append(child)
print(sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 for child in children))
