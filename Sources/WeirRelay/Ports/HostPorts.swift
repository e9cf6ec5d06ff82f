import CWeir
import Glibc
public import WeirAnalysis
public import WeirEngine
import WeirWire

/// A reader of this host's ports: the ephemeral range, and the sockets that use ports.
public struct HostPorts: ~Copyable {
    private let diag: Descriptor

    /// Opens a netlink socket to the kernel.
    ///
    /// - Throws: `SystemError` if the kernel cannot be asked for sockets.
    public init() throws(SystemError) {
        let raw = weir_diag_open()
        guard raw >= 0 else { throw SystemError("ask the kernel for sockets", ErrorNumber(-raw)) }
        diag = Descriptor(owning: raw)
    }

    /// Returns the range of ephemeral ports; nil if the system does not report it.
    public static func range() -> PortRange? {
        let numbers = (text("ip_local_port_range") ?? "").split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        return numbers.count == 2 ? PortRange(numbers[0], numbers[1]) : nil
    }

    /// Returns the ranges that are reserved, so not used as ephemeral ports: `8080,9148-9150`.
    public static func reserved() -> [PortRange] {
        let text = text("ip_local_reserved_ports") ?? ""
        return text.split(whereSeparator: { $0 == "," || $0.isWhitespace }).compactMap { part in
            let bounds = part.split(separator: "-").compactMap { Int($0) }
            return bounds.isEmpty ? nil : PortRange(bounds[0], bounds[bounds.count - 1])
        }
    }

    private static func text(_ name: String) -> String? {
        let descriptor = open("/proc/sys/net/ipv4/" + name, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(descriptor, &bytes, bytes.count)
        return count >= 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }

    /// Returns the TCP and UDP sockets of both families, also those in TIME_WAIT.
    ///
    /// - Throws: `SystemError` if the kernel does not answer.
    public func sockets() throws(SystemError) -> [HostSocket] {
        let list = List()
        for transport in Transport.allCases {
            list.transport = transport
            for family: Int32 in [4, 6] {
                let status = weir_diag_list(
                    diag.raw,
                    transport == .udp,
                    family,
                    .max,
                    { context, socket in
                        guard let context, let socket else { return false }
                        Unmanaged<List>.fromOpaque(context).takeUnretainedValue().add(socket.pointee)
                        return true
                    },
                    Unmanaged.passUnretained(list).toOpaque()
                )
                // A system without IPv6 has no IPv6 sockets.
                guard status >= 0 || status == -ENOENT else {
                    throw SystemError("list \(transport) sockets", ErrorNumber(-status))
                }
            }
        }
        return list.sockets
    }

    /// A list of the sockets that the kernel reports.
    private final class List {
        var transport = Transport.tcp
        var sockets: [HostSocket] = []

        func add(_ socket: weir_socket) {
            var socket = socket
            let local = withUnsafeBytes(of: &socket.local) { Self.address($0, socket.family, socket.scope) }
            let remote = withUnsafeBytes(of: &socket.remote) { Self.address($0, socket.family, socket.scope) }
            sockets.append(
                HostSocket(
                    transport: transport,
                    local: Endpoint(address: local, port: socket.local_port),
                    remote: Endpoint(address: remote, port: socket.remote_port),
                    state: HostSocket.State(rawValue: socket.state) ?? .closed
                )
            )
        }

        private static func address(_ bytes: UnsafeRawBufferPointer, _ family: UInt8, _ scope: UInt32) -> IPAddress {
            guard family != 4 else { return IPAddress(v4: UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self))) }
            let high = UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
            let low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            let address = IPAddress(v6: high, low: low)
            return address.isLinkLocal ? IPAddress(v6: high, low: low, scope: scope) : address.unmapped
        }
    }
}
