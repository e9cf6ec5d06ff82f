import CWeir
import Glibc
import WeirEngine

/// The threads of the program whose calls were answered last, with what is known of their processes.
struct WatchedThreads {
    private static let most = 256

    /// A thread, by a descriptor that is never another one's.
    private final class Thread {
        let descriptor: HeldDescriptor
        /// The process, once it was asked for, and its name's file, whose content changes with the name.
        var process: (identifier: Int32, name: HeldDescriptor)?

        init(_ descriptor: HeldDescriptor) { self.descriptor = descriptor }
    }

    private var held: [Int32: Thread] = [:]
    private var users = UserNames()

    /// Duplicates a descriptor of a thread's process.
    ///
    /// - Throws: EBADF if there is no such descriptor, EPERM if the process may not be looked at.
    mutating func descriptor(_ number: Int32, of thread: Int32) throws(WatchedCallError) -> Descriptor {
        if let known = held[thread] {
            let taken = weir_descriptor_take(known.descriptor.raw, number)
            if taken >= 0 { return Descriptor(owning: taken) }
            held[thread] = nil
            // The thread has ended, and another one may have its number.
            guard taken == -ESRCH else { throw WatchedCallError(-taken) }
        }
        var mayBeKept = false
        var opened = weir_thread_open(thread, &mayBeKept)
        if opened == -EMFILE {
            held.removeAll()
            opened = weir_thread_open(thread, &mayBeKept)
        }
        guard opened >= 0 else { throw WatchedCallError(-opened) }
        let descriptor = HeldDescriptor(opened)
        if mayBeKept {
            if held.count >= Self.most { held.removeAll() }
            held[thread] = Thread(descriptor)
        }
        var taken = weir_descriptor_take(descriptor.raw, number)
        if taken == -EMFILE {
            held.removeAll()
            taken = weir_descriptor_take(descriptor.raw, number)
        }
        guard taken >= 0 else { throw WatchedCallError(-taken) }
        return Descriptor(owning: taken)
    }

    /// Duplicates a process's descriptor of a socket, wherever it is; nil if the process has none any more.
    ///
    /// - Parameters:
    ///   - cookie: the socket's cookie.
    ///   - inode: the number of the socket in /proc.
    ///   - process: the process.
    /// - Returns: the duplicate.
    func descriptor(of cookie: UInt64, inode: UInt64, in process: Int32) -> Descriptor? {
        let folder = "/proc/\(process)/fd"
        var mayBeKept = false
        guard let list = opendir(folder) else { return nil }
        defer { closedir(list) }
        let opened = weir_thread_open(process, &mayBeKept)
        guard opened >= 0 else { return nil }
        let holder = Descriptor(owning: opened)
        while let entry = readdir(list) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            guard let number = Int32(name), stat("\(folder)/\(name)", &status) == 0,
                status.st_mode & S_IFMT == S_IFSOCK, status.st_ino == inode
            else { continue }
            let taken = weir_descriptor_take(holder.raw, number)
            guard taken >= 0 else { continue }
            let found = Descriptor(owning: taken)
            if weir_cookie(found.raw) == cookie { return found }
        }
        return nil
    }

    /// Returns the process of a thread that waits in a call, with its name and user of now; nil if it has ended.
    mutating func process(of thread: Int32) -> ClientProcess? {
        let known = held[thread]
        if known?.process == nil {
            let process = weir_process_of(thread)
            guard process > 0 else { return nil }
            let raw = open("/proc/\(process)/comm", O_RDONLY | O_CLOEXEC)
            guard raw >= 0 else { return nil }
            let found = (process, HeldDescriptor(raw))
            known?.process = found
            return describe(found)
        }
        return known?.process.flatMap { describe($0) }
    }

    private mutating func describe(_ process: (identifier: Int32, name: HeldDescriptor)) -> ClientProcess? {
        let name = withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { bytes -> String? in
            var count = pread(process.name.raw, bytes.baseAddress, bytes.count, 0)
            guard count > 0 else { return nil }
            if bytes[count - 1] == UInt8(ascii: "\n") { count -= 1 }
            return String(decoding: bytes[..<count], as: UTF8.self)
        }
        var status = stat()
        guard let name, stat("/proc/\(process.identifier)", &status) == 0 else { return nil }
        return ClientProcess(identifier: process.identifier, name: name, user: users.name(of: status.st_uid))
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
