import CWeir
import Glibc
import WeirEngine

/// The calls that execute a file, which are watched only if no program under watch can gain privileges.
extension CallServer {
    /// The maximum length of a path, with its null byte: PATH_MAX.
    private static let longestPath = 4096

    /// Says what the command itself loses: its own start is no call that is answered here.
    func lookAtCommand() {
        guard let name = settings.command.first, let path = try? ProgramOrigin.find(name) else { return }
        executed.look(at: Array(path.utf8CString), thread: getpid(), report)
    }

    /// Says what the file's program loses, and lets the kernel execute it.
    func execute(_ call: WatchedCall) {
        defer { call.pass() }
        let isAt = call.raw.kind == WEIR_CALL_EXECVEAT
        guard let path = path(call, at: call.argument(isAt ? 1 : 0)) else { return }
        executed.look(at: path, thread: call.thread, directory: isAt ? call.integer(0) : AT_FDCWD, report)
    }

    /// Reads a path from the process's memory, page by page, as it may end where the memory ends.
    private func path(_ call: WatchedCall, at address: UInt64) -> [CChar]? {
        var path: [CChar] = []
        var piece = [CChar](repeating: 0, count: Self.longestPath)
        while path.count < Self.longestPath {
            let at = address &+ UInt64(path.count)
            let count = Self.longestPath - Int(at % UInt64(Self.longestPath))
            guard piece.withUnsafeMutableBytes({ call.read(at, into: .init(rebasing: $0[..<count])) }) else {
                return nil
            }
            if let end = piece[..<count].firstIndex(of: 0) { return path + piece[...end] }
            path += piece[..<count]
        }
        return nil
    }
}

/// The files that programs under watch executed, and would have had privileges from: each is named once.
struct ExecutedFiles {
    private struct File: Hashable {
        var device: UInt64
        var number: UInt64
    }

    /// The maximum number that are kept apart.
    private static let most = 256

    private var named: Set<File> = []

    /// Reports a file that a thread executes, if it would have given privileges without being watched.
    ///
    /// - Parameters:
    ///   - path: the path, with a null byte at its end.
    ///   - thread: the thread whose root and folder the path is relative to.
    ///   - directory: the descriptor of the folder, or `AT_FDCWD`.
    ///   - report: called with one line.
    mutating func look(at path: [CChar], thread: Int32, directory: Int32 = AT_FDCWD, _ report: (String) -> Void) {
        var file = weir_executed_file()
        guard weir_executed_file_read(thread, directory, path, &file) >= 0 else { return }
        var privileges: [String] = []
        if file.sets_user { privileges.append("set-user-id") }
        if file.sets_group { privileges.append("set-group-id") }
        if file.has_capabilities { privileges.append("file capabilities") }
        guard !privileges.isEmpty, named.count < Self.most,
            named.insert(File(device: file.device, number: file.number)).inserted
        else { return }
        let name = Self.name(path, thread, directory)
        let remedy = geteuid() == 0 ? "give weir CAP_SYS_ADMIN" : "run weir as root"
        report(
            "\(name) runs without its privileges "
                + "(\(privileges.joined(separator: ", "))), as a watched program cannot gain any; \(remedy) to keep them"
        )
    }

    /// Returns the last part of a path, or of the path of the descriptor that is executed.
    private static func name(_ path: [CChar], _ thread: Int32, _ directory: Int32) -> String {
        var bytes = path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        if bytes.isEmpty {
            bytes = [UInt8](repeating: 0, count: 4096)
            let count = readlink("/proc/\(thread)/fd/\(directory)", &bytes, bytes.count)
            bytes.removeLast(bytes.count - max(0, count))
        }
        let name = bytes.split(separator: UInt8(ascii: "/")).last ?? []
        return name.isEmpty ? "a program" : ClientProcess.plain(String(decoding: name, as: UTF8.self))
    }
}
