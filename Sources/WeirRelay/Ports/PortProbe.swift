import CWeir
import Glibc
public import WeirAnalysis
public import WeirEngine
public import WeirWire

/// A measurement of how this host assigns ports: it takes ports on the loopback, toward its own listeners, and frees
/// each.
///
/// One socket is open at a time. A TCP connection is reset as soon as its port is known, so nothing stays in TIME_WAIT;
/// no packet leaves the loopback.
public struct PortProbe: Sendable {
    /// The way in which a port is taken.
    public enum Style: String, Sendable, CaseIterable {
        /// By connecting.
        case connect
        /// By binding to port 0, and then connecting.
        case bind
        /// By binding to port 0 with SO_REUSEADDR, and then connecting.
        case reuse
        /// By connecting, with IP_LOCAL_PORT_RANGE.
        case range
    }

    /// The sockets' transport protocol.
    public var transport: Transport
    /// The way in which ports are taken.
    public var style: Style
    /// The number of ports to take.
    public var count = 500
    /// The number of listeners, from which each port's destination is drawn at random.
    public var destinations = 2
    /// The time over which the samples are spread.
    public var over = Duration.zero
    /// The port range for the style `range`.
    public var range: PortRange?

    /// The result of a probe.
    public struct Result: Sendable {
        /// The ports, in the order in which they were taken.
        public var series: PortSeries
        /// One line that says what the probe did, and what is left in TIME_WAIT.
        public var account: String
    }

    /// Makes a probe.
    public init(_ transport: Transport, _ style: Style) {
        self.transport = transport
        self.style = style
    }

    /// Takes the ports.
    ///
    /// - Returns: the ports.
    /// - Throws: `SystemError` if a socket cannot be made, or no port is free.
    public func run() async throws -> Result {
        if let range, style == .range { try EgressPort.range(range).check() }
        var listeners: [Listener] = []
        for _ in 0..<max(1, destinations) { listeners.append(try Listener(transport)) }
        var series = PortSeries(PortSeriesKey(client: .loopbackV4, transport: transport))
        var connections: Set<Connection> = []
        let began = ContinuousClock.now
        let pause = over / max(1, count - 1)
        for number in 0..<count {
            if pause > .zero, number > 0 { try await Task.sleep(until: began + pause * number) }
            let listener = listeners[Int.random(in: listeners.indices)]
            let time = SystemClock.now().wallNanoseconds
            let port = try take(listener)
            series.add(port, to: listener.endpoint, at: time)
            connections.insert(Connection(port: port, listener: listener.endpoint.port))
        }
        return Result(series: series, account: account(series, listeners, connections, ContinuousClock.now - began))
    }

    /// Takes one port, and frees it again.
    private func take(_ listener: Listener) throws(SystemError) -> UInt16 {
        let socket = try Socket.make(transport, for: listener.endpoint.address)
        switch style {
        case .connect: break
        case .reuse, .bind:
            if style == .reuse { Socket.set(SO_REUSEADDR, of: SOL_SOCKET, to: 1, on: socket.raw) }
            let any = Endpoint(address: listener.endpoint.address, port: 0)
            try Socket.bind(socket.raw, to: any, attempt: "take a port of \(any.address)")
        case .range: if let range { EgressBinding.set(range, on: socket.raw) }
        }
        if let error = Socket.connect(socket.raw, to: listener.endpoint) {
            throw SystemError("connect to \(listener.endpoint)", error)
        }
        guard let local = Socket.localEndpoint(socket.raw) else {
            throw SystemError("ask for a port", .current)
        }
        if transport == .tcp {
            Socket.resetOnClose(socket.raw)
            // Accept it, or the backlog would fill; this end has received the reset by the time it is closed.
            listener.discard(after: socket)
        }
        return local.port
    }

    /// The ports of a connection of the probe.
    private struct Connection: Hashable {
        var port: UInt16
        var listener: UInt16
    }

    private func account(
        _ series: PortSeries,
        _ listeners: [Listener],
        _ connections: Set<Connection>,
        _ time: Duration
    ) -> String {
        let what = (transport == .tcp ? "connection" : "socket") + (series.count == 1 ? "" : "s")
        let whom = listeners.count == 1 ? "listener" : "listeners"
        let seconds = Double(time.inNanoseconds) / 1e9
        var text = "\(series.count) \(what) one at a time to \(listeners.count) \(whom) on 127.0.0.1 in "
        text += "\(Int(seconds * 1000)) ms"
        guard transport == .tcp else { return text }
        guard let sockets = try? HostPorts().sockets() else { return text + ", each reset at once" }
        // Another program's connection may have left one of the listeners' ports in TIME_WAIT before.
        let waiting = sockets.count {
            guard $0.state == .timeWait else { return false }
            let (local, remote) = ($0.local.port, $0.remote.port)
            return connections.contains(Connection(port: local, listener: remote))
                || connections.contains(Connection(port: remote, listener: local))
        }
        return text + ", each reset at once, \(waiting) left in TIME_WAIT"
    }

    /// A socket to which the probe connects.
    private final class Listener {
        private let descriptor: Descriptor
        private let transport: Transport
        let endpoint: Endpoint

        init(_ transport: Transport) throws(SystemError) {
            self.transport = transport
            descriptor = try Socket.make(transport, for: .loopbackV4)
            try Socket.bind(descriptor.raw, to: Endpoint(address: .loopbackV4, port: 0), attempt: "listen on 127.0.0.1")
            guard transport == .udp || listen(descriptor.raw, 64) == 0, let local = Socket.localEndpoint(descriptor.raw)
            else { throw SystemError("listen on 127.0.0.1", .current) }
            endpoint = local
        }

        /// Closes the connecting end, and then the end that the listener accepts.
        func discard(after client: consuming Descriptor) {
            var peer = sockaddr_storage()
            let accepted = weir_accept(descriptor.raw, &peer)
            close(client.release())
            if accepted >= 0 { close(accepted) }
        }
    }
}
