import CWeir
import Glibc
import WeirEngine
import WeirWire

extension ProcessSearch {
    /// Finds the process that holds a port, so that no other can listen there; returns nil if that cannot be
    /// determined.
    ///
    /// Complexity: O(n) in the sockets of this machine and the descriptors of its processes.
    static func holder(of transport: Transport, _ endpoint: Endpoint) -> ClientProcess? {
        guard var search = try? ProcessSearch() else { return nil }
        return search.holder(of: transport, endpoint)
    }

    private mutating func holder(of transport: Transport, _ endpoint: Endpoint) -> ClientProcess? {
        let list = PortSockets(endpoint)
        // Listening, or bound (connected or not): `TCP_LISTEN`, `TCP_CLOSE` and `TCP_ESTABLISHED` of tcp_states.h.
        let states: UInt32 = transport == .tcp ? 1 << 10 : 1 << 7 | 1 << 1
        for family: Int32 in [4, 6] {
            weir_diag_list(
                diag.raw,
                transport == .udp,
                family,
                states,
                { context, socket in
                    guard let context, let socket else { return false }
                    Unmanaged<PortSockets>.fromOpaque(context).takeUnretainedValue().add(socket.pointee)
                    return true
                },
                Unmanaged.passUnretained(list).toOpaque()
            )
        }
        guard let socket = list.sockets.min(by: { $0.inode < $1.inode }),
            let process = owners(of: [socket.inode], everywhere: true)[socket.inode], let owner = Owner(process)
        else { return nil }
        return ClientProcess(identifier: process, name: owner.name, user: users.name(of: socket.user))
    }

    /// A list of the sockets that prevent another one from listening.
    private final class PortSockets {
        private let wanted: weir_socket
        private let isAny: Bool
        var sockets: [weir_socket] = []

        init(_ endpoint: Endpoint) {
            wanted = ProcessSearch.socket(local: endpoint, remote: endpoint)
            isAny = endpoint.address.isUnspecified
        }

        func add(_ socket: weir_socket) {
            guard socket.local_port == wanted.local_port, socket.inode != 0 else { return }
            let (address, other) = (Self.bytes(of: socket), Self.bytes(of: wanted))
            let isSame = socket.family == wanted.family && address == other
            // A socket of all addresses takes the port of each; one of [::] may take IPv4's too.
            if isAny || isSame || address.allSatisfy({ $0 == 0 }) { sockets.append(socket) }
        }

        private static func bytes(of socket: weir_socket) -> [UInt8] {
            withUnsafeBytes(of: socket.local) { Array($0.prefix(socket.family == 4 ? 4 : 16)) }
        }
    }
}
