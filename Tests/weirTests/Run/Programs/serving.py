"""What a server sees of its clients: serving.py HOST PORT; prints the same with and without Weir. The clients are its own.

The own ports of the clients go to standard error, one a line.
"""
import ctypes, errno, fcntl, hashlib, os, resource, select, signal, socket, struct, sys, threading

HOST, PORT = sys.argv[1], int(sys.argv[2])
FAMILY = socket.AF_INET6 if ':' in HOST else socket.AF_INET
NEAR = {'0.0.0.0': '127.0.0.1', '::': '::1'}.get(HOST, HOST)
libc = ctypes.CDLL(None, use_errno=True)


def say(name, body):
    try:
        print(name, body(), flush=True)
    except OSError as error:
        print(name, type(error).__name__, error, flush=True)


def bound(options=(socket.SO_REUSEADDR,)):
    s = socket.socket(FAMILY)
    for option in options: s.setsockopt(socket.SOL_SOCKET, option, 1)
    s.bind((HOST, PORT))
    return s


def listening(options=(socket.SO_REUSEADDR,)):
    s = bound(options)
    s.listen(64)
    return s


def client(host=NEAR):
    c = socket.create_connection((host, PORT))
    print('port', c.getsockname()[1], file=sys.stderr)
    return c


def refusal():
    with socket.socket(FAMILY) as c: return errno.errorcode.get(c.connect_ex((NEAR, PORT)), 'connected')


def called(result):
    return errno.errorcode[ctypes.get_errno()] if result < 0 else 'ok'


def echo(a):
    with a:
        while part := a.recv(65536): a.sendall(part)
        a.shutdown(socket.SHUT_WR)


def asks(c, data):
    """Sends all, half-closes, and returns whether the same came back."""
    sender = threading.Thread(target=lambda: (c.sendall(data), c.shutdown(socket.SHUT_WR)))
    sender.start()
    answer = b''
    while part := c.recv(65536): answer += part
    sender.join()
    c.close()
    return answer == data


def steps():
    s = bound()
    seen = [s.getsockname(), refusal()]
    s.listen(1)
    c = client()
    a, address = s.accept()
    seen += [s.getsockname(), address[0], address == c.getsockname(), a.getpeername() == address]
    seen += [a.getsockname() == c.getpeername(), a.getsockname()[:2], a.getblocking(), os.get_inheritable(a.fileno())]
    s.close()
    seen.append(refusal())
    a.sendall(b'hello')
    seen.append(c.recv(9))
    c.sendall(b'you')
    seen.append(a.recv(9))
    a.shutdown(socket.SHUT_WR)
    seen.append(c.recv(9))
    c.sendall(b'late')
    c.close()
    seen += [a.recv(9), a.recv(9)]
    return seen


def both():
    """Clients of both families at one socket."""
    seen = []
    with listening() as s:
        for host in ['127.0.0.1', '::1']:
            c = client(host)
            a, address = s.accept()
            seen += [address[0], address[1] == c.getsockname()[1], a.getsockname()[0], a.getpeername() == address]
    return seen


def large():
    with listening() as s:
        c = client()
        a, _ = s.accept()
        threading.Thread(target=echo, args=(a,)).start()
        data = os.urandom(3_000_000)
        return asks(c, data)


def accepted(s, flags, room=None, length=None):
    """Accepts as C does."""
    size = ctypes.c_int(length) if length is not None else None
    number = libc.accept4(s.fileno(), room, ctypes.byref(size) if size is not None else None, flags)
    return number, size.value if size is not None else None


def flags():
    seen = []
    with listening() as s:
        for flags in [0, socket.SOCK_NONBLOCK, socket.SOCK_CLOEXEC, socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC]:
            for is_blocking in [True, False]:
                s.setblocking(is_blocking)
                c = client()
                select.select([s], [], [])
                number, _ = accepted(s, flags)
                seen.append((bool(fcntl.fcntl(number, fcntl.F_GETFL) & os.O_NONBLOCK), os.get_inheritable(number), s.getblocking()))
                os.close(number)
                c.close()
        s.setblocking(False)
        seen += [called(accepted(s, 0)[0]), called(accepted(s, 77)[0])]
    return seen


def addresses():
    """Rooms for the address that are too small, absent or wrong."""
    seen = []
    with listening() as s:
        for length in [0, 3, 8, 64]:
            c = client()
            room = ctypes.create_string_buffer(b'\xff' * 64)
            number, size = accepted(s, 0, room, length)
            port = struct.pack('!H', c.getsockname()[1])
            seen.append((size, room.raw[2:4] == port, room.raw[min(length, size):size] == b'\xff' * max(0, size - length)))
            os.close(number)
            c.close()
        c = client()
        seen.append(called(accepted(s, 0, ctypes.create_string_buffer(64), -1)[0]))
        c.close()
    return seen


def wrong():
    seen = [called(libc.accept(999, None, None)), called(libc.listen(999, 1))]
    with bound() as s: seen += [called(libc.accept(s.fileno(), None, None))]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        seen += [called(libc.listen(s.fileno(), 1)), called(libc.accept(s.fileno(), None, None))]
    with open('/dev/null') as file: seen += [called(libc.accept(file.fileno(), None, None))]
    with listening() as s:
        for options in [(), (socket.SO_REUSEADDR,), (socket.SO_REUSEPORT,)]:
            try:
                bound(options).close()
                seen.append('bound')
            except OSError as error:
                seen.append(errno.errorcode[error.errno])
    return seen


def polled():
    seen = []
    with listening() as s:
        s.setblocking(False)
        for edge in [0, select.EPOLLET]:
            poll = select.epoll()
            poll.register(s, select.EPOLLIN | edge)
            seen.append(poll.poll(0))
            c = client()
            seen.append([event for _, event in poll.poll(5)])
            seen.append(len(poll.poll(0)))
            a, _ = s.accept()
            seen.append(len(poll.poll(0)))
            try: s.accept()
            except BlockingIOError as error: seen.append(errno.errorcode[error.errno])
            c.close()
            a.close()
            poll.close()
    return seen


def patience():
    with listening() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', 0, 50_000))
        seen = [called(accepted(s, 0)[0])]
        c = client()
        number, _ = accepted(s, 0)
        seen.append(number >= 0)
        os.close(number)
        c.close()
    return seen


def interrupted():
    """A signal ends a call that waits, or starts it again."""
    seen = []
    with listening() as s:
        for restarts in [False, True]:
            rang = threading.Event()
            signal.signal(signal.SIGALRM, lambda *_: rang.set())
            signal.siginterrupt(signal.SIGALRM, not restarts)
            later = threading.Thread(target=lambda: (rang.wait(0 if not restarts else 0.3), client())) if restarts else None
            if later: later.start()
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            number, _ = accepted(s, 0)
            seen.append(called(number))
            if number >= 0: os.close(number)
            if later: later.join()
        c = client()
        a, address = s.accept()
        seen.append(address == c.getsockname())
    return seen


def interrupted_often():
    """Signals beside clients: none gets lost, and none is accepted twice."""
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.siginterrupt(signal.SIGALRM, False)
    wanted, got = [], []
    with listening() as s:
        def clients():
            # Signals are for the thread that accepts.
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
            for _ in range(200):
                c = client()
                wanted.append(c.getsockname()[1])
                c.recv(1)
                c.close()
        worker = threading.Thread(target=clients)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
        worker.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        for _ in range(200):
            a, address = s.accept()
            got.append(address[1])
            a.sendall(b'x')
            a.close()
        signal.setitimer(signal.ITIMER_REAL, 0)
        worker.join()
    return got == wanted


def threads():
    """Eight threads wait in accept."""
    with listening() as s:
        def work():
            while True:
                try: a, _ = s.accept()
                except OSError: return
                echo(a)
        workers = [threading.Thread(target=work) for _ in range(8)]
        for worker in workers: worker.start()
        result = crowd()
        s.shutdown(socket.SHUT_RDWR)
        for worker in workers: worker.join()
    return result


def crowd():
    answers = []
    def work(number):
        for round in range(5): answers.append(asks(client(), b'%d' % number * (10 ** round)))
    workers = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    return len(answers), all(answers)


def forked(shares):
    """Three processes accept, from one socket or each from its own on the same port."""
    children = []
    s = None if shares else listening()
    reader, writer = os.pipe()
    for _ in range(3):
        child = os.fork()
        if child == 0:
            try:
                mine = listening((socket.SO_REUSEADDR, socket.SO_REUSEPORT)) if shares else s
                os.write(writer, b'x')
                while True: echo(mine.accept()[0])
            finally: os._exit(1)
        children.append(child)
    for _ in children: os.read(reader, 1)
    result = crowd()
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if s: s.close()
    return result, refusal()


def inherited():
    options = [
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 77),
        (socket.SOL_SOCKET, socket.SO_OOBINLINE, 1), (socket.SOL_SOCKET, socket.SO_PRIORITY, 3), (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 9999),
        (socket.SOL_SOCKET, socket.SO_RCVBUF, 20_000), (socket.SOL_SOCKET, socket.SO_SNDBUF, 30_000), (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1),
    ]
    seen = []
    for sets in [False, True]:
        with listening() as s:
            for level, name, value in options if sets else []: s.setsockopt(level, name, value)
            c = client()
            a, _ = s.accept()
            # The kernel chooses the sizes of buffers by the way to the client.
            names = options if sets else [option for option in options if option[1] not in (socket.SO_RCVBUF, socket.SO_SNDBUF)]
            seen.append([a.getsockopt(level, name) for level, name, _ in names])
            c.close()
            a.close()
    return seen


def resets():
    seen = []
    with listening() as s:
        for side in [0, 1]:
            c = client()
            a, _ = s.accept()
            ends = [a, c]
            ends[side].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            ends[side].close()
            try: seen.append(ends[1 - side].recv(9))
            except OSError as error: seen.append(errno.errorcode[error.errno])
            try: seen.append(ends[1 - side].getpeername())
            except OSError as error: seen.append(errno.errorcode[error.errno])
        # Before it is accepted: then there is no flow.
        c = socket.create_connection((NEAR, PORT))
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        c.close()
        a, _ = s.accept()
        try: seen.append(a.recv(9))
        except OSError as error: seen.append(errno.errorcode[error.errno])
    return seen


def no_descriptors():
    with listening() as s:
        c = client()
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        with open('/dev/null') as last: lowest = last.fileno()
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
        try:
            s.accept()
            seen = ['accepted']
        except OSError as error:
            seen = [errno.errorcode[error.errno]]
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        a, address = s.accept()
        return seen + [address == c.getsockname()]


def again():
    """A server that is started again at once, and one that is killed while it waits."""
    seen = []
    for _ in range(3):
        with listening() as s:
            c = client()
            a, _ = s.accept()
            a.close()
            seen.append(c.recv(9))
    for _ in range(5):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            s = listening()
            os.write(writer, b'x')
            libc.accept(s.fileno(), None, None)
            os._exit(1)
        os.read(reader, 1)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        seen.append(refusal())
        listening().close()
    return seen


def passed():
    """An accepted connection in another process, through a socket and through an exec."""
    with listening() as s:
        c = client()
        a, address = s.accept()
        code = 'import socket; a = socket.socket(fileno=0); print(a.getpeername()[1], a.getsockname()[1]); a.sendall(b"there")'
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(a.fileno(), 0)
            os.dup2(writer, 1)
            os.execv(sys.executable, [sys.executable, '-I', '-c', code])
        os.waitpid(child, 0)
        a.close()
        return c.recv(9), os.read(reader, 99) == b'%d %d\n' % (address[1], PORT)


say('steps', steps)
if HOST == '::': say('both', both)
say('large', large)
say('flags', flags)
say('addresses', addresses)
say('wrong', wrong)
say('polled', polled)
say('patience', patience)
say('interrupted', interrupted)
say('interrupted often', interrupted_often)
say('threads', threads)
say('forked', lambda: forked(False))
say('forked, each with its own socket', lambda: forked(True))
say('inherited', inherited)
say('resets', resets)
say('no descriptors', no_descriptors)
say('again', again)
say('passed', passed)
say('other port', lambda: socket.create_server(('127.0.0.1', 0)).close())
