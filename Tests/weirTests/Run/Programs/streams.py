"""What a program sees of TCP: streams.py HOST PORT; prints the same with and without Weir. HOST:PORT echoes.

The own ports of the connections go to standard error, one a line.
"""
import errno, os, select, socket, struct, sys

HOST, PORT = sys.argv[1], int(sys.argv[2])
FAMILY = socket.AF_INET6 if ':' in HOST else socket.AF_INET


def made(family=FAMILY):
    return socket.socket(family, socket.SOCK_STREAM)


def say(name, body):
    try:
        print(name, body())
    except OSError as error:
        print(name, type(error).__name__, error)


def ends(s):
    print('port', s.getsockname()[1], file=sys.stderr)
    return s.getpeername(), s.getsockname()[0]


def echo(s, data=b'hello'):
    s.sendall(data)
    answer = b''
    while len(answer) < len(data):
        part = s.recv(len(data))
        if not part: break
        answer += part
    return answer == data


def blocking():
    s = made()
    s.connect((HOST, PORT))
    result = ends(s), echo(s)
    s.shutdown(socket.SHUT_WR)
    return result, s.recv(9)


def refused():
    s = made()
    first = s.connect_ex((HOST, 9))
    s.connect((HOST, PORT))
    ends(s)
    return errno.errorcode[first], echo(s), errno.errorcode[s.connect_ex((HOST, PORT))]


def polled(port):
    s = made()
    s.setblocking(False)
    first = s.connect_ex((HOST, port))
    poll = select.poll()
    poll.register(s, select.POLLOUT | select.POLLIN)
    seen = poll.poll(5000)[0][1]
    # Whether an error comes at once or later depends on the network alone.
    errors = {first, s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)} - {0, errno.EINPROGRESS}
    again = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if port != PORT: return [errno.errorcode[e] for e in errors], again
    result = seen, errors, again, s.connect_ex((HOST, port)) in (0, errno.EISCONN), errno.errorcode[s.connect_ex((HOST, port))]
    s.setblocking(True)
    return result, ends(s), echo(s)


def retried(asks):
    """After a refusal that came later a socket is made new by the next connect, and then connects."""
    s = made()
    s.setblocking(False)
    seen = [s.connect_ex((HOST, 9))]
    poll = select.poll()
    poll.register(s, select.POLLOUT)
    if asks:
        seen.append([event & ~select.POLLHUP for _, event in poll.poll(5000)])
        seen.append(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        # Where the peer is another host the refusal may come at once.
        if seen[0] == errno.EINPROGRESS: seen.append(s.getsockname()[0])
    else:
        poll.poll(5000)
    if seen[0] == errno.EINPROGRESS: seen.append(s.connect_ex((HOST, 9)))
    seen = [errno.errorcode.get(value, value) if isinstance(value, int) else value for value in seen]
    s.setblocking(True)
    s.connect((HOST, PORT))
    return seen, ends(s), echo(s)


def bound_without_port():
    s = made()
    s.setsockopt(socket.IPPROTO_IP, 24, 1)
    s.bind(('127.0.0.9', 0))
    s.connect((HOST, PORT))
    return ends(s), echo(s)


def edge():
    s = made()
    s.setblocking(False)
    s.connect_ex((HOST, PORT))
    poll = select.epoll()
    poll.register(s, select.EPOLLOUT | select.EPOLLET)
    seen = [events for _, events in poll.poll(5)]
    ends(s)
    return seen, s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def bound():
    s = made()
    s.bind((HOST if HOST in ('127.0.0.1', '::1') else '', 0))
    port = s.getsockname()[1]
    s.connect((HOST, PORT))
    ends(s)
    return s.getsockname()[1] == port, echo(s)


def fast_open(option):
    s = made()
    if option:
        s.setsockopt(socket.IPPROTO_TCP, 30, 1)
        s.connect((HOST, PORT))
        sent = s.send(b'hello')
    else:
        sent = s.sendto(b'hello', socket.MSG_FASTOPEN, (HOST, PORT))
    ends(s)
    return sent, s.recv(9)


def child():
    s = made()
    reader, writer = os.pipe()
    if os.fork() == 0:
        s.connect((HOST, PORT))
        ends(s)
        sys.stderr.flush()
        os.write(writer, b'x')
        os._exit(0)
    os.read(reader, 1)
    os.wait()
    # The parent's descriptor is the same socket.
    return s.getpeername(), echo(s)


def many():
    import threading
    bad = []
    def work():
        for number in range(20):
            s = made()
            s.connect((HOST, PORT))
            ends(s)
            if not echo(s, b'%d' % number * 100): bad.append(number)
            s.close()
    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return bad


def odd(kind=socket.SOCK_STREAM):
    """Addresses that the kernel refuses: of other lengths and families, and in memory that is not there."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    v4 = struct.pack('=HH4s8x', socket.AF_INET, socket.htons(PORT), socket.inet_aton('127.0.0.1'))
    mapped = struct.pack('=HHI16sI', socket.AF_INET6, socket.htons(PORT), 0, socket.inet_pton(socket.AF_INET6, '::ffff:127.0.0.1'), 0)
    answers = []
    for family, address, length in [
        (socket.AF_INET, v4, 200), (socket.AF_INET, v4, -1), (socket.AF_INET, v4, 15), (socket.AF_INET, v4, 1), (socket.AF_INET, v4, 0),
        (socket.AF_INET, mapped, 28), (socket.AF_INET6, v4, 16), (socket.AF_INET6, mapped, 23),
    ]:
        s = socket.socket(family, kind)
        result = libc.connect(s.fileno(), address, length)
        answers.append(errno.errorcode[ctypes.get_errno()] if result < 0 else result)
    s = made()
    answers.append((libc.connect(s.fileno(), ctypes.c_void_p(1), 16), errno.errorcode[ctypes.get_errno()]))
    s.connect((HOST, PORT))
    ends(s)
    room = ctypes.create_string_buffer(64)
    for length in [0, 3, 16, 64, -1]:
        size = ctypes.c_int(length)
        result = libc.getpeername(s.fileno(), room, ctypes.byref(size))
        answers.append((errno.errorcode[ctypes.get_errno()] if result < 0 else result, size.value))
    answers.append((libc.getpeername(s.fileno(), ctypes.c_void_p(1), ctypes.byref(ctypes.c_int(16))), errno.errorcode[ctypes.get_errno()]))
    answers.append((libc.getpeername(999, room, ctypes.byref(ctypes.c_int(16))), errno.errorcode[ctypes.get_errno()]))
    return answers


def unconnected():
    s = made()
    return s.getsockname()[0], errno.errorcode[107 if s.connect_ex((HOST, 0)) else 0]


def itself():
    """A connection of a socket to itself, which has no other end."""
    s = made()
    s.bind((HOST, 0))
    s.connect(s.getsockname())
    return s.getpeername() == s.getsockname(), echo(s)


say('blocking', blocking)
say('refused', refused)
say('polled', lambda: polled(PORT))
say('polled refused', lambda: polled(9))
say('retried', lambda: retried(True))
say('retried at once', lambda: retried(False))
if HOST == '127.0.0.1': say('bound without a port', bound_without_port)
say('edge', edge)
say('bound', bound)
say('fast open, by an option', lambda: fast_open(True))
say('fast open', lambda: fast_open(False))
say('child', child)
say('many', many)
say('unconnected', unconnected)
say('odd', odd)
if FAMILY == socket.AF_INET:
    def mapped():
        s = made(socket.AF_INET6)
        s.connect(('::ffff:' + HOST, PORT))
        return ends(s), echo(s)
    say('mapped', mapped)
    def no_way():
        """From the loopback's own address no other host is reached: nothing leaves this machine."""
        s = made()
        s.bind(('127.0.0.1', 0))
        s.connect(('240.0.0.1', 80))
    say('no way', no_way)
if HOST in ('127.0.0.1', '::1'): say('itself', itself)
say('peer of none', lambda: made().getpeername())
say('unix', lambda: socket.socket(socket.AF_UNIX).connect('/nonexistent/socket'))
