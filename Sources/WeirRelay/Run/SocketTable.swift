import CWeir
import Glibc
import WeirEngine
import WeirWire

/// What is known of the program's sockets that Weir connected elsewhere, by the sockets' cookies.
struct SocketTable {
    /// A socket that is connected to Weir, where its program asked for something else.
    struct Entry {
        /// The destination that the program asked for.
        var asked: Endpoint
        /// The address from which the destination is reached: what the program is told as its own.
        var local: IPAddress?
        /// The error that the program has not been told yet.
        var error: ErrorNumber?
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

/// Descriptors of the program's processes, by the numbers of their threads.
struct WatchedThreads {
    private static let most = 64

    private var held: [Int32: HeldDescriptor] = [:]

    /// Duplicates a descriptor of a thread's process.
    ///
    /// - Throws: EBADF if there is no such descriptor, EPERM if the process may not be looked at.
    mutating func descriptor(_ number: Int32, of thread: Int32) throws(WatchedCallError) -> Descriptor {
        if let known = held[thread] {
            let taken = weir_descriptor_take(known.raw, number)
            if taken >= 0 { return Descriptor(owning: taken) }
            held[thread] = nil
            // The thread has ended, and another one may have its number.
            guard taken == -ESRCH else { throw WatchedCallError(-taken) }
        }
        var mayBeKept = false
        let opened = weir_thread_open(thread, &mayBeKept)
        guard opened >= 0 else { throw WatchedCallError(-opened) }
        let process = HeldDescriptor(opened)
        if mayBeKept {
            if held.count >= Self.most { held.removeAll() }
            held[thread] = process
        }
        var taken = weir_descriptor_take(process.raw, number)
        if taken == -EMFILE {
            held.removeAll()
            taken = weir_descriptor_take(process.raw, number)
        }
        guard taken >= 0 else { throw WatchedCallError(-taken) }
        return Descriptor(owning: taken)
    }
}

/// A descriptor with several owners, closed after the last.
final class HeldDescriptor: Sendable {
    let raw: Int32

    init(_ raw: Int32) { self.raw = raw }

    deinit { close(raw) }
}

/// What kept Weir from looking at a call: an `errno`.
struct WatchedCallError: Error {
    var error: ErrorNumber
    init(_ number: Int32) { error = ErrorNumber(number) }
}
