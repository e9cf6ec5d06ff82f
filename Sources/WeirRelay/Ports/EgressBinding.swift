import CWeir
import Glibc
public import WeirEngine
import WeirWire

/// The binding of a dialing socket to the configured port, before it connects.
///
/// With `kernel` it does nothing: a bind before the connect would change the kernel's choice.
enum EgressBinding {
    /// IP_LOCAL_PORT_RANGE of linux/in.h, an option at the IP level for sockets of both families.
    private static let localPortRange: Int32 = 51

    /// Prepares a socket that is about to connect.
    ///
    /// - Parameters:
    ///   - raw: the socket.
    ///   - transport: its transport protocol.
    ///   - choice: the configured egress port.
    ///   - client: the client for which it connects.
    ///   - target: the endpoint to which it connects.
    ///   - whenTaken: called if the relay dials from the client's own address, on which the client's port is always
    ///     taken.
    /// - Returns: whether the socket now has a port, so that connecting may fail because that connection exists
    ///   already.
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
            // Flows to several servers may share a port, and a port whose last connection is in TIME-WAIT is free.
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

    /// Returns the address from which the kernel would dial a target; connecting a datagram socket sends nothing.
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
    /// Checks that the kernel accepts a range: it needs Linux 6.3, and bounds within the system's range.
    ///
    /// - Throws: `SystemError` with advice on what to do.
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
    /// Whether the port of a bound socket cannot be used for a connection.
    var isTakenPort: Bool { rawValue == EADDRNOTAVAIL || rawValue == EADDRINUSE }
}
