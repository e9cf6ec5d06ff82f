import CWeir
import Glibc
import WeirEngine
import WeirWire

/// What is known of the program's sockets that Weir connected elsewhere, by the sockets' cookies.
struct SocketTable {
    /// A socket that is connected to Weir, where its program asked for something else, or accepted a client.
    struct Entry {
        /// The destination that the program asked for, or the client.
        var asked: Endpoint
        /// The address from which the destination is reached: what the program is told as its own.
        var local: IPAddress?
        /// The port that the program is told as its own; nil for the socket's.
        var port: UInt16?
        /// The error that the program has not been told yet.
        var error: ErrorNumber?
        /// Whether its connection was refused while the program did not wait: the next `connect` makes it new again.
        var hasFailed = false
    }

    private static let swept = 4096

    private(set) var entries: [UInt64: Entry] = [:]
    private var limit = swept
    /// The number of entries with an error.
    private(set) var errors = 0

    var isEmpty: Bool { entries.isEmpty }

    subscript(cookie: UInt64) -> Entry? {
        get { entries[cookie] }
        set {
            errors += (newValue?.error == nil ? 0 : 1) - (entries[cookie]?.error == nil ? 0 : 1)
            entries[cookie] = newValue
            if entries.count > limit { sweep() }
        }
    }

    /// Removes the entries of sockets that no longer exist.
    private mutating func sweep() {
        guard let living = LivingSockets.cookies([.tcp, .udp]) else {
            limit *= 2
            return
        }
        entries = entries.filter { living.contains($0.key) }
        errors = entries.values.count { $0.error != nil }
        limit = max(Self.swept, 2 * entries.count)
    }
}

/// The sockets that exist in this network namespace.
enum LivingSockets {
    /// Returns their cookies; nil if the kernel does not list them.
    static func cookies(_ transports: [Transport]) -> Set<UInt64>? {
        let diag = weir_diag_open()
        guard diag >= 0 else { return nil }
        defer { close(diag) }
        final class Found { var cookies: Set<UInt64> = [] }
        let found = Found()
        for transport in transports {
            for family: Int32 in [4, 6] {
                let status = weir_diag_list(
                    diag,
                    transport == .udp,
                    family,
                    .max,
                    { context, socket in
                        guard let context, let socket else { return true }
                        Unmanaged<Found>.fromOpaque(context).takeUnretainedValue().cookies.insert(socket.pointee.cookie)
                        return true
                    },
                    Unmanaged.passUnretained(found).toOpaque()
                )
                guard status >= 0 else { return nil }
            }
        }
        return found.cookies
    }
}
