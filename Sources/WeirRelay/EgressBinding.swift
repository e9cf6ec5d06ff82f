import CWeir
import Glibc
public import WeirFlow
import WeirWire

/// Gives the socket of a dial the port that was asked for, before it connects.
///
/// With `kernel` nothing is done: a bind before the connect would change the kernel's choice.
enum EgressBinding {
    /// Is IP_LOCAL_PORT_RANGE of linux/in.h, which sockets of both families take at the level of IP.
    private static let localPortRange: Int32 = 51

    /// Prepares a socket that is about to connect.
    ///
    /// - Parameters:
    ///   - raw: the socket.
    ///   - transport: what it carries.
    ///   - choice: what was asked for.
    ///   - client: on whose behalf it connects.
    ///   - target: where to.
    ///   - whenTaken: is told where the relay dials from the client's own address, on which its port is always taken.
    /// - Returns: whether the socket has a port now, so that a connect may find the connection in use already.
    static func prepare(
        _ raw: Int32,
        _ transport: Transport,
        _ choice: EgressPort,
        for client: Endpoint,
        to target: Endpoint,
        whenTaken: () -> Void
    ) -> Bool {
        switch choice {
        case .kernel: return false
        case .range(let range):
            set(range, on: raw)
            return false
        case .same:
            guard let source = source(toward: target) else { return false }
            guard source != client.address else {
                whenTaken()
                return false
            }
            // Flows to several servers may share a port, and one whose last connection is in TIME-WAIT is free.
            if transport == .tcp { Socket.set(SO_REUSEADDR, of: SOL_SOCKET, to: 1, on: raw) }
            do {
                try Socket.bind(raw, to: Endpoint(address: source, port: client.port), attempt: "")
                return true
            } catch {
                if transport == .tcp { Socket.set(SO_REUSEADDR, of: SOL_SOCKET, to: 0, on: raw) }
                return false
            }
        }
    }

    /// Says from which address the kernel would dial a target: connecting a datagram socket sends nothing.
    private static func source(toward target: Endpoint) -> IPAddress? {
        guard let probe = try? Socket.make(.udp, for: target.address), Socket.connect(probe.raw, to: target) == nil
        else {
            return nil
        }
        return Socket.localEndpoint(probe.raw)?.address
    }

    @discardableResult
    static func set(_ range: PortRange, on raw: Int32) -> Bool {
        let value = UInt32(range.high) << 16 | UInt32(range.low)
        return Socket.set(localPortRange, of: Int32(IPPROTO_IP), to: Int32(bitPattern: value), on: raw)
    }
}

extension EgressPort {
    /// Refuses a range that the kernel would not take: before Linux 6.3, and where it lies outside of the system's.
    ///
    /// - Throws: `SystemError` that says what to do.
    public func check() throws(SystemError) {
        guard case .range(let range) = self else { return }
        let attempt = "take ports from \(range)"
        let descriptor = try Socket.make(.tcp, for: .loopbackV4)
        guard EgressBinding.set(range, on: descriptor.raw) else {
            throw SystemError(attempt, .current, advice: "IP_LOCAL_PORT_RANGE needs Linux 6.3")
        }
        guard let system = HostPorts.range(), !system.contains(range.low) || !system.contains(range.high) else {
            return
        }
        throw SystemError(
            attempt,
            ErrorNumber(ERANGE),
            advice: "the kernel takes only bounds within net.ipv4.ip_local_port_range, which is \(system)"
        )
    }
}

extension ErrorNumber {
    /// Says that a port that a socket was bound to cannot be used for a connection.
    var isTakenPort: Bool { rawValue == EADDRNOTAVAIL || rawValue == EADDRINUSE }
}
