# The far end of a bridge: connections of a sandbox, joined to standard input and output. Frames are a letter, a
# number and a length (both 32 bits, big-endian), and so many bytes. It ends when its input does, and leaves nothing
# behind. See session/bridgeframes.h.
import errno, os, select, signal, socket, struct, sys, threading

MOST = 262144  # bytes on the way of one connection in each direction
PIECE = 16384
CONNECTIONS = 512
poll = select.poll()
watched, streams, listeners, handlers = {}, {}, {}, {}
incoming, outgoing = bytearray(), bytearray()
last = 0x80000000
found = []  # (stream, addresses or error), from threads that look names up
bell_in, bell_out = os.pipe()


def say(letter, number, payload=b""):
    outgoing.extend(struct.pack(">cII", letter, number, len(payload)))
    outgoing.extend(payload)


def watch(fd, events):
    # What is not waited for is not looked at: a hang-up would be found again and again.
    if watched.get(fd, 0) == events:
        return
    if not events:
        poll.unregister(fd)
        del watched[fd]
    else:
        poll.register(fd, events)
        watched[fd] = events


def reason(error):
    kinds = {errno.ECONNREFUSED: b"r", errno.ENOENT: b"n", errno.ENETUNREACH: b"u", errno.EHOSTUNREACH: b"u", errno.ETIMEDOUT: b"t",
             errno.EACCES: b"p", errno.EPERM: b"p", errno.EADDRINUSE: b"i", errno.EADDRNOTAVAIL: b"a"}
    kind = b"n" if isinstance(error, socket.gaierror) else kinds.get(getattr(error, "errno", None), b"x")
    return kind + str(getattr(error, "strerror", None) or error).encode()[:200]


class Stream:
    def __init__(self, number):
        self.number, self.sock, self.addresses, self.error = number, None, [], None
        self.credit, self.taken, self.pending = MOST, 0, bytearray()
        self.is_open = self.read_end = self.write_end = self.is_shut = False
        streams[number] = self

    def take(self, sock):
        self.sock = sock
        sock.setblocking(False)
        handlers[sock.fileno()] = self

    def accept(self, sock):
        self.take(sock)
        self.is_open = True

    def connect(self):
        while self.addresses:
            family, address = self.addresses.pop(0)
            try:
                self.take(socket.socket(family, socket.SOCK_STREAM))
                self.sock.connect(address)
            except BlockingIOError:
                return
            except OSError as error:
                self.error = error
                self.leave()
                continue
            return self.opened()
        say(b"F", self.number, reason(self.error or OSError(errno.EHOSTUNREACH, "no address")))
        streams.pop(self.number, None)

    def opened(self):
        self.is_open = True
        if self.sock.family != socket.AF_UNIX:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        say(b"K", self.number)

    def leave(self):
        if self.sock:
            watch(self.sock.fileno(), 0)
            del handlers[self.sock.fileno()]
            self.sock.close()
            self.sock = None

    def drop(self, reset):
        if reset and self.sock:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.leave()
        streams.pop(self.number, None)

    def lose(self):
        say(b"C", self.number)
        self.drop(False)

    def wants(self):
        if not self.sock:
            return
        events = 0
        if not self.is_open or self.pending:
            events |= select.POLLOUT
        if self.is_open and not self.read_end and self.credit > 0 and len(outgoing) < MOST:
            events |= select.POLLIN
        watch(self.sock.fileno(), events)

    def ready(self, events):
        if not self.is_open:
            code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not code:
                return self.opened()
            self.error = OSError(code, os.strerror(code))
            self.leave()
            return self.connect()
        # Each by itself: an echo takes nothing as long as nobody reads it.
        for is_wanted, work in ((self.pending, self.write), (events & ~select.POLLOUT and not self.read_end, self.read)):
            try:
                if is_wanted:
                    work()
            except BlockingIOError:
                pass
            except OSError:
                return self.lose()
        self.settle()

    def read(self):
        if self.credit <= 0 or len(outgoing) >= MOST:
            return
        data = self.sock.recv(min(PIECE, self.credit))
        if data:
            self.credit -= len(data)
            say(b"D", self.number, data)
        else:
            self.read_end = True
            say(b"E", self.number)

    def write(self):
        sent = self.sock.send(self.pending)
        del self.pending[:sent]
        self.taken += sent
        if self.taken >= MOST // 4:
            say(b"W", self.number, struct.pack(">I", self.taken))
            self.taken = 0

    def settle(self):
        if self.write_end and not self.pending and not self.is_shut:
            self.is_shut = True
            try:
                self.sock.shutdown(socket.SHUT_WR)
            except OSError:
                return self.lose()
        if self.is_shut and self.read_end:
            self.drop(False)


class Listener:
    def __init__(self, number):
        self.number, self.socks, self.path = number, [], None
        listeners[number] = self

    def open(self, place):
        if isinstance(place, bytes):
            before = os.umask(0o177)
            try:
                self.add(socket.AF_UNIX, place)
            finally:
                os.umask(before)
            self.path = (place, os.lstat(place).st_ino)
            return 0
        host, port = place
        names = {"localhost": ["127.0.0.1", "::1"], "": ["0.0.0.0", "::"]}.get(host, [host])
        for tries in range(16):
            try:
                given = port
                for name in names:
                    family = socket.AF_INET6 if ":" in name else socket.AF_INET
                    try:
                        self.add(family, (name, given))
                    except OSError as error:
                        # A machine may be without one of the families.
                        if len(names) == 1 or error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                            raise
                        last_error = error
                        continue
                    given = self.socks[-1].getsockname()[1]
                if not self.socks:
                    raise last_error
                return given
            except OSError as error:
                self.close()
                if port or error.errno != errno.EADDRINUSE or tries == 15:
                    raise

    def add(self, family, address):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            if family != socket.AF_UNIX:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(address)
            sock.listen(128)
            sock.setblocking(False)
        except OSError:
            sock.close()
            raise
        self.socks.append(sock)
        handlers[sock.fileno()] = self

    def wants(self):
        for sock in self.socks:
            watch(sock.fileno(), select.POLLIN if len(streams) < CONNECTIONS else 0)

    def ready(self, events):
        global last
        for sock in self.socks:
            try:
                peer = sock.accept()[0]
            except OSError:
                continue
            if peer.family != socket.AF_UNIX:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            last += 1
            Stream(last).accept(peer)
            say(b"A", last, struct.pack(">I", self.number))

    def close(self):
        for sock in self.socks:
            watch(sock.fileno(), 0)
            del handlers[sock.fileno()]
            sock.close()
        self.socks = []
        if self.path:
            try:
                if os.lstat(self.path[0]).st_ino == self.path[1]:
                    os.unlink(self.path[0])
            except OSError:
                pass
            self.path = None


def place(payload):
    if payload[:1] == b"u":
        return bytes(payload[1:])
    return payload[3:].decode("ascii", "replace"), struct.unpack(">H", payload[1:3])[0]


def look_up(stream, host, port):
    try:
        result = [(each[0], each[4]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        result = error
    found.append((stream, result))
    os.write(bell_out, b".")


def understand(letter, number, payload):
    stream = streams.get(number)
    if letter == b"O":
        where = place(payload)
        stream = Stream(number)
        if isinstance(where, bytes):
            stream.addresses = [(socket.AF_UNIX, where)]
            stream.connect()
        else:
            threading.Thread(target=look_up, args=(stream,) + where, daemon=True).start()
    elif letter == b"L":
        listener = Listener(number)
        try:
            port = listener.open(place(payload))
            say(b"K", number, struct.pack(">H", port))
        except (OSError, ValueError) as error:
            listener.close()
            del listeners[number]
            say(b"F", number, reason(error))
    elif letter == b"U" and number in listeners:
        listeners.pop(number).close()
    elif stream and letter == b"C":
        stream.drop(True)
    elif stream and letter == b"W":
        stream.credit += struct.unpack(">I", payload)[0]
    elif stream and stream.is_open and letter in (b"D", b"E"):
        stream.pending += payload
        stream.write_end = letter == b"E"
        stream.ready(select.POLLOUT)


def main():
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    os.set_blocking(0, False)
    os.set_blocking(1, False)
    os.set_blocking(bell_in, False)
    say(b"R", 0)
    while True:
        watch(0, select.POLLIN)
        watch(bell_in, select.POLLIN)
        watch(1, select.POLLOUT if outgoing else 0)
        for each in list(streams.values()) + list(listeners.values()):
            each.wants()
        # Connections first: what the others do may give the number of one that is gone to a new one.
        for fd, events in sorted(poll.poll(), key=lambda each: each[0] in (0, 1, bell_in)):
            if fd == 0:
                try:
                    data = os.read(0, 65536)
                except BlockingIOError:
                    continue
                if not data:
                    return
                incoming.extend(data)
                while len(incoming) >= 9:
                    letter, number, size = struct.unpack(">cII", incoming[:9])
                    if len(incoming) < 9 + size:
                        break
                    payload = bytes(incoming[9:9 + size])
                    del incoming[:9 + size]
                    understand(letter, number, payload)
            elif fd == 1:
                try:
                    del outgoing[:os.write(1, outgoing)]
                except BlockingIOError:
                    pass
            elif fd == bell_in:
                os.read(bell_in, 4096)
                while found:
                    stream, result = found.pop(0)
                    if streams.get(stream.number) is not stream:
                        continue
                    if isinstance(result, list):
                        stream.addresses = result
                    else:
                        stream.error = result
                    stream.connect()
            elif fd in handlers:
                handlers[fd].ready(events)


try:
    main()
except (BrokenPipeError, KeyboardInterrupt):
    pass
finally:
    for each in list(listeners.values()):
        each.close()
os._exit(0)
