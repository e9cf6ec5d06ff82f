import CWeir
import Glibc
import WeirFlow
import WeirWire

/// Looks for the processes of this machine that own sockets; lives on one thread.
///
/// A process is named only where it had the client's socket open, that socket was the other end of the very connection that
/// was asked for, and it had started before the client came: what has changed meanwhile is not known.
struct ProcessSearch: ~Copyable {
    /// Asks for the owner of a client's socket.
    struct Question: Sendable {
        var flow: FlowID
        var transport: Transport
        var client: Endpoint
        var listener: Endpoint
        /// Is the number of the relay's own socket of the connection; 0 for UDP.
        var cookie: UInt64
        var moment: Moment
    }

    /// How many of the processes that were found last are looked at before all others.
    private static let mostHints = 32

    private let diag: Descriptor
    private let own = getpid()
    private var hints: [Int32] = []
    private var users: [UInt32: String] = [:]
    private let ticksPerSecond = Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))

    /// Opens the way to the kernel.
    ///
    /// - Throws: `SystemError` where there is none: no sock_diag in a container, say.
    init() throws(SystemError) {
        let raw = weir_diag_open()
        guard raw >= 0 else { throw SystemError("ask the kernel for sockets", ErrorNumber(-raw)) }
        diag = Descriptor(owning: raw)
    }

    /// Takes the search to its thread for good: what it opens there takes no descriptor of the relay's.
    ///
    /// - Parameter signal: the descriptor that the thread waits on.
    func settle(waitingOn signal: Int32) {
        // Where the system forbids it, as containers may, the numbers are shared: a few, for moments.
        weir_own_descriptors([diag.raw, signal], 2)
    }

    /// Answers questions, all in one walk over the processes.
    ///
    /// - Returns: an answer for each, in their order.
    mutating func answer(_ questions: [Question]) -> [ProcessAnswer] {
        var answers = [ProcessAnswer](repeating: .unknown, count: questions.count)
        var inodes: [UInt32] = []
        var users: [UInt32] = []
        var places: [Int] = []
        for (place, question) in questions.enumerated() {
            // The relay's end is looked at behind the client's: it was there all the time, and so was its peer.
            guard let socket = find(question), isSameConnection(question) else { continue }
            inodes.append(socket.inode)
            users.append(socket.user)
            places.append(place)
        }
        guard !inodes.isEmpty else { return answers }
        let owners = owners(of: inodes)
        for (index, owner) in owners.enumerated() {
            guard let owner, let process = describe(owner, user: users[index]),
                startedBefore(owner, questions[places[index]].moment)
            else { continue }
            answers[places[index]] = .found(process)
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

    /// Says whether the connection is still the one that was asked for: its port may be another's by now.
    private func isSameConnection(_ question: Question) -> Bool {
        guard question.transport == .tcp, question.cookie != 0 else { return true }
        var wanted = Self.socket(local: question.listener, remote: question.client)
        var found = weir_socket()
        return weir_diag_find(diag.raw, false, &wanted, &found) == 0 && found.cookie == question.cookie
    }

    private static func socket(local: Endpoint, remote: Endpoint) -> weir_socket {
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

    /// Finds a process that has each socket open; first among those that were found last.
    private mutating func owners(of inodes: [UInt32]) -> [Int32?] {
        var owners = [Int32?](repeating: nil, count: inodes.count)
        var held = [Bool](repeating: false, count: inodes.count)
        var left = Set(inodes).count
        var seen: Set<Int32> = []
        func look(_ process: Int32) {
            let before = held
            guard weir_process_holds(process, inodes, UInt32(inodes.count), &held) > 0 else { return }
            for index in inodes.indices where held[index] && !before[index] { owners[index] = process }
            left = Set(inodes.indices.filter { !held[$0] }.map { inodes[$0] }).count
            hints.removeAll { $0 == process }
            hints.insert(process, at: 0)
            if hints.count > Self.mostHints { hints.removeLast() }
        }
        for process in hints where left > 0 {
            seen.insert(process)
            look(process)
        }
        guard left > 0 else { return owners }
        // The newest first: they are gone first. The others can wait.
        for process in Self.processes().reversed() where left > 0 && process != own && !seen.contains(process) {
            look(process)
        }
        // The relay can be its own client, as in a demo.
        if left > 0 { look(own) }
        return owners
    }

    /// Lists the processes that there are, in the order of their numbers.
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

    private mutating func describe(_ process: Int32, user: UInt32) -> ClientProcess? {
        guard var name = Self.read("/proc/\(process)/comm") else { return nil }
        if name.last == UInt8(ascii: "\n") { name.removeLast() }
        let text = String(decoding: name, as: UTF8.self)
        return ClientProcess(identifier: process, name: text, user: userName(user))
    }

    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return count > 0 ? Array(bytes[..<count]) : nil
    }

    private mutating func userName(_ number: UInt32) -> String {
        if let known = users[number] { return known }
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var room = [CChar](repeating: 0, count: 4096)
        getpwuid_r(number, &entry, &room, room.count, &found)
        let name = found.flatMap { $0.pointee.pw_name }.map { String(cString: $0) } ?? "\(number)"
        users[number] = name
        return name
    }

    /// Says whether a process had started when a client came: one that started later has taken the port over.
    ///
    /// Source: Linux proc_pid_stat(5), field 22, in ticks since the system's start.
    private func startedBefore(_ process: Int32, _ moment: Moment) -> Bool {
        guard let stat = Self.read("/proc/\(process)/stat"), let end = stat.lastIndex(of: UInt8(ascii: ")")) else {
            return false
        }
        let fields = stat[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, let ticks = Int64(String(decoding: fields[19], as: UTF8.self)) else { return false }
        var boot = timespec()
        clock_gettime(CLOCK_BOOTTIME, &boot)
        let age = moment.instant.duration(to: SystemClock.instant()).inNanoseconds
        let came = Int64(boot.tv_sec) * 1_000_000_000 + Int64(boot.tv_nsec) - age
        // A start is rounded down to a tick.
        return ticks * (1_000_000_000 / ticksPerSecond) <= came
    }
}
