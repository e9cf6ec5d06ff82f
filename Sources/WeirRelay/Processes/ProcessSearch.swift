import CWeir
import Glibc
import WeirEngine
import WeirWire

/// A search for the processes of this machine that own sockets; it lives on one thread.
///
/// The search names a process only if it had the client's socket open, that socket was the other end of the very
/// connection in question, and the process had started before the client connected. If anything changed meanwhile, the
/// answer is that the process is not known.
struct ProcessSearch: ~Copyable {
    /// A question for the owner of a client's socket.
    struct Question: Sendable {
        var flow: FlowID
        var transport: Transport
        var client: Endpoint
        var listener: Endpoint
        /// The cookie of the relay's own socket of the connection, its number in the kernel; 0 for UDP.
        var cookie: UInt64
        var moment: Moment
    }

    /// A process that was found, and the descriptor of the socket by which it was found.
    private struct Hint {
        var process: Int32
        var descriptor: Int32
    }

    /// The number of recently found processes that are searched before all others.
    private static let mostHints = 32
    /// The descriptor number below which a recently found process is searched completely at once.
    private static let fewDescriptors = 256

    let diag: Descriptor
    private let own = getpid()
    private var hints: [Hint] = []
    var users = UserNames()

    /// Opens a netlink socket to the kernel.
    ///
    /// - Throws: `SystemError` if that is impossible, for example because a container has no sock_diag.
    init() throws(SystemError) {
        let raw = weir_diag_open()
        guard raw >= 0 else { throw SystemError("ask the kernel for sockets", ErrorNumber(-raw)) }
        diag = Descriptor(owning: raw)
    }

    /// Moves the search to its thread for good: descriptors that it opens there do not use up the relay's.
    ///
    /// - Parameter signal: the descriptor that the thread waits on.
    func settle(waitingOn signal: Int32) {
        // If the system forbids it, as containers may, the descriptors are shared: a few, for moments.
        weir_own_descriptors([diag.raw, signal], 2)
    }

    /// Answers all questions in one walk over the processes, which ends early when all are answered.
    ///
    /// - Parameters:
    ///   - questions: the questions.
    ///   - everywhere: whether all processes may be searched, or only those found recently.
    /// - Returns: an answer to each question, in their order.
    mutating func answer(_ questions: [Question], everywhere: Bool) -> [ProcessAnswer] {
        var answers = [ProcessAnswer](repeating: .unknown, count: questions.count)
        var found: [(place: Int, socket: weir_socket)] = []
        for (place, question) in questions.enumerated() {
            // Look at the relay's end after the client's: if it was there all the time, so was its peer.
            guard let socket = find(question), isSameConnection(question) else { continue }
            found.append((place, socket))
        }
        guard !found.isEmpty else { return answers }
        let owners = owners(of: Set(found.map(\.socket.inode)).sorted(), everywhere: everywhere)
        var known: [Int32: Owner?] = [:]
        for (place, socket) in found {
            guard let process = owners[socket.inode] else { continue }
            if known[process] == nil { known[process] = Owner(process) }
            guard case .some(.some(let owner)) = known[process], owner.hadStarted(at: questions[place].moment) else {
                continue
            }
            answers[place] = .found(
                ClientProcess(identifier: process, name: owner.name, user: users.name(of: socket.user))
            )
        }
        return answers
    }

    // MARK: - Sockets

    private func find(_ question: Question) -> weir_socket? {
        var wanted = Self.socket(local: question.client, remote: question.listener)
        var found = weir_socket()
        guard weir_diag_find(diag.raw, question.transport == .udp, &wanted, &found) == 0, found.inode != 0,
            found.local_port == question.client.port,
            question.transport == .udp || found.remote_port == question.listener.port
        else { return nil }
        return found
    }

    /// Returns whether the connection is still the one in question: another may have its port by now.
    private func isSameConnection(_ question: Question) -> Bool {
        guard question.transport == .tcp, question.cookie != 0 else { return true }
        var wanted = Self.socket(local: question.listener, remote: question.client)
        var found = weir_socket()
        return weir_diag_find(diag.raw, false, &wanted, &found) == 0 && found.cookie == question.cookie
    }

    static func socket(local: Endpoint, remote: Endpoint) -> weir_socket {
        var socket = weir_socket()
        socket.family = local.address.isV4 ? 4 : 6
        socket.local_port = local.port
        socket.remote_port = remote.port
        socket.scope = local.address.scope
        withUnsafeMutableBytes(of: &socket.local) { write(local.address, to: $0) }
        withUnsafeMutableBytes(of: &socket.remote) { write(remote.address, to: $0) }
        return socket
    }

    private static func write(_ address: IPAddress, to bytes: UnsafeMutableRawBufferPointer) {
        if address.isV4 {
            bytes.storeBytes(of: address.v4.bigEndian, as: UInt32.self)
        } else {
            bytes.storeBytes(of: address.high.bigEndian, as: UInt64.self)
            bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
    }

    // MARK: - Processes

    /// Finds a process for each socket that has the socket open, and searches the recently found processes first.
    ///
    /// - Parameters:
    ///   - inodes: the sockets, in rising order, each once.
    ///   - everywhere: whether all processes may be searched.
    /// - Returns: a process for each socket that has one.
    mutating func owners(of inodes: [UInt32], everywhere: Bool) -> [UInt32: Int32] {
        var owners: [UInt32: Int32] = [:]
        var held = [Bool](repeating: false, count: inodes.count)
        func look(_ hint: Hint, whole: Bool = true) {
            guard owners.count < inodes.count else { return }
            var descriptor = hint.descriptor
            let count = UInt32(inodes.count)
            guard weir_process_holds(hint.process, inodes, count, &held, &descriptor, whole) > 0 else { return }
            for (index, inode) in inodes.enumerated() where held[index] && owners[inode] == nil {
                owners[inode] = hint.process
            }
            hints.removeAll { $0.process == hint.process }
            hints.insert(Hint(process: hint.process, descriptor: descriptor), at: 0)
            if hints.count > Self.mostHints { hints.removeLast() }
        }
        let first = hints
        for hint in first { look(hint, whole: hint.descriptor < Self.fewDescriptors) }
        guard everywhere, owners.count < inodes.count else { return owners }
        let seen = Set(first.map(\.process))
        // The newest processes first, because they tend to end first. Those with many descriptors can wait.
        let others = Self.newestFirst(Self.processes(), last: Self.lastProcess()).filter {
            $0 != own && !seen.contains($0)
        }
        let small = others.filter { Self.descriptorCount(of: $0) < Self.fewDescriptors }
        for process in small { look(Hint(process: process, descriptor: 0)) }
        let looked = Set(small)
        for process in others where !looked.contains(process) { look(Hint(process: process, descriptor: 0)) }
        for hint in first where hint.descriptor >= Self.fewDescriptors { look(hint) }
        // The relay can be its own client.
        if !seen.contains(own) { look(Hint(process: own, descriptor: 0)) }
        return owners
    }

    /// Orders processes from the newest on: numbers rise until the highest possible one, and begin again.
    ///
    /// - Parameters:
    ///   - processes: their numbers, in rising order.
    ///   - last: the number that was given last; nil if it is not known.
    /// - Returns: the numbers in that order.
    static func newestFirst(_ processes: [Int32], last: Int32?) -> [Int32] {
        guard let last, let split = processes.firstIndex(where: { $0 > last }) else { return processes.reversed() }
        return processes[..<split].reversed() + processes[split...].reversed()
    }

    /// Returns how many descriptors a process has open; 0 if that is not known, as before Linux 6.2.
    static func descriptorCount(of process: Int32) -> Int {
        var status = stat()
        return stat("/proc/\(process)/fd", &status) == 0 ? Int(status.st_size) : 0
    }

    /// Returns the number of the process that was made last.
    ///
    /// Source: proc_loadavg(5).
    static func lastProcess() -> Int32? {
        let raw = open("/proc/loadavg", O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { return nil }
        defer { close(raw) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = read(raw, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count], as: UTF8.self).split(whereSeparator: \.isWhitespace).last.flatMap {
            Int32($0)
        }
    }

    /// Returns the numbers of all processes, in order.
    private static func processes() -> [Int32] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var processes: [Int32] = []
        while let entry = readdir(folder) {
            let number = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { atoi($0) }
            }
            if number > 0 { processes.append(number) }
        }
        return processes.sorted()
    }
}

/// The names of users, each looked up once.
struct UserNames {
    private var known: [UInt32: String] = [:]

    /// Returns a user's name, or the number if there is no name.
    mutating func name(of number: UInt32) -> String {
        if let name = known[number] { return name }
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var room = [CChar](repeating: 0, count: 4096)
        getpwuid_r(number, &entry, &room, room.count, &found)
        let name = found.flatMap { $0.pointee.pw_name }.map { String(cString: $0) } ?? "\(number)"
        known[number] = name
        return name
    }
}
