import CWeir
import Glibc
public import WeirEngine
import WeirWire

/// The reason why a command cannot be watched, or not be started.
public enum WatchError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The command was not found: the exit status 127.
    case notFound(String)
    /// The command cannot be executed: the exit status 126.
    case notExecutable(String, ErrorNumber)
    /// The kernel, or the container's rules, forbid what watching needs; what is missing, and what to do: the exit status 69.
    case unavailable(String)

    /// The error in one line.
    public var description: String {
        switch self {
        case .notFound(let command): "\(command): command not found"
        case .notExecutable(let command, let error) where error.rawValue == ENOEXEC:
            "\(command): cannot be executed: it is no program, and has no '#!' line; run it as 'sh \(command)'"
        case .notExecutable(let command, let error): "\(command): cannot be executed: \(error)"
        case .unavailable(let reason): "the command cannot be watched: \(reason)"
        }
    }
}

/// The limits of this process before anything raised them: the command gets them so.
struct ProgramOrigin: Sendable {
    private let descriptors: (soft: UInt64, hard: UInt64)

    /// Notes the limits of this process.
    init() {
        var limit = rlimit()
        let isKnown = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        descriptors = isKnown ? (UInt64(limit.rlim_cur), UInt64(limit.rlim_max)) : (0, 0)
    }

    /// Starts a command under watch.
    func start(_ settings: WatchSettings) throws(WatchError) -> weir_program {
        guard let name = settings.command.first else { throw .notFound("") }
        let path = try Self.find(name)
        _ = weir_adopt_orphans()
        let texts = CStringList(settings.command)
        let environment = CStringList(Self.environment(with: settings.environment))
        let program = CStringList([path])
        var command = weir_command()
        command.path = UnsafePointer(program.pointers[0])
        command.arguments = UnsafePointer(texts.pointers)
        command.environment = UnsafePointer(environment.pointers)
        command.watches_datagrams = settings.watchesDatagrams
        command.serves = !settings.servedPorts.isEmpty
        (command.ignored, command.blocked) = (Self.bits(settings.ignoredSignals), Self.bits(settings.blockedSignals))
        (command.soft_descriptors, command.hard_descriptors) = descriptors
        var started = weir_program()
        var step: Int32 = 0
        let status = weir_watch_start(&command, &started, &step)
        withExtendedLifetime((texts, environment, program)) {}
        guard status < 0 else { return started }
        throw Self.error(ErrorNumber(-status), at: Int(step), name)
    }

    private static func error(_ error: ErrorNumber, at step: Int, _ name: String) -> WatchError {
        switch (step, error.rawValue) {
        case (WEIR_START_EXECUTE, ENOENT): .notFound(name)
        case (WEIR_START_EXECUTE, _): .notExecutable(name, error)
        case (WEIR_START_FILTER, EBUSY):
            .unavailable("it would be under two seccomp listeners: another 'weir run', or a container's agent, has one")
        case (WEIR_START_FILTER, ENOSYS), (WEIR_START_FILTER, EINVAL):
            .unavailable(
                "the kernel has no seccomp user notification (\(error)): it needs Linux 5.6 with CONFIG_SECCOMP_FILTER"
            )
        case (WEIR_START_FILTER, _): .unavailable("a seccomp filter is refused: \(error)")
        case (WEIR_START_LISTENER, ENOSYS): .unavailable("pidfd_getfd is missing: it needs Linux 5.6")
        case (WEIR_START_LISTENER, EPERM), (WEIR_START_LISTENER, EACCES):
            .unavailable("pidfd_getfd is refused (\(error)): \(Self.ptraceAdvice)")
        case (WEIR_START_LISTENER, _): .unavailable("its listener cannot be taken over: \(error)")
        case (WEIR_START_MEMORY, _): .unavailable("process_vm_readv is refused (\(error)): \(Self.ptraceAdvice)")
        default: .unavailable("no process can be started: \(error)")
        }
    }

    private static var ptraceAdvice: String {
        let path = "/proc/sys/kernel/yama/ptrace_scope"
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        var digit: UInt8 = 0
        if descriptor >= 0 {
            _ = read(descriptor, &digit, 1)
            close(descriptor)
        }
        switch digit {
        case UInt8(ascii: "2"): return "\(path) is 2, so run as root, or set it to 1"
        case UInt8(ascii: "3"): return "\(path) is 3, which forbids it until the next start of the system"
        default: return "in a container, start it with --cap-add SYS_PTRACE"
        }
    }

    private static func bits(_ signals: [Int32]) -> UInt64 {
        signals.reduce(0) { (1...64).contains($1) ? $0 | 1 << UInt64($1 - 1) : $0 }
    }

    // MARK: - The command

    /// Finds a command as a shell does.
    static func find(_ name: String) throws(WatchError) -> String {
        if name.contains("/") {
            var status = stat()
            guard stat(name, &status) == 0 else {
                // What may not be looked at may exist.
                throw [ENOENT, ENOTDIR].contains(errno) ? .notFound(name) : .notExecutable(name, .current)
            }
            if status.st_mode & S_IFMT == S_IFDIR { throw .notExecutable(name, ErrorNumber(EISDIR)) }
            guard access(name, X_OK) == 0 else { throw .notExecutable(name, .current) }
            return name
        }
        guard !name.isEmpty else { throw .notFound("''") }
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        var refused: ErrorNumber?
        for folder in path.split(separator: ":", omittingEmptySubsequences: false) {
            let candidate = "\(folder.isEmpty ? "." : String(folder))/\(name)"
            var status = stat()
            guard stat(candidate, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            if access(candidate, X_OK) == 0 { return candidate }
            refused = .current
        }
        if let refused { throw .notExecutable(name, refused) }
        throw .notFound(name)
    }

    /// Returns this process's variables, with others in their place.
    private static func environment(with others: [String]) -> [String] {
        let names = others.map { $0.prefix { $0 != "=" } + "=" }
        var all: [String] = []
        var next = environ
        while let variable = next.pointee {
            let text = String(cString: variable)
            if !names.contains(where: { text.hasPrefix($0) }) { all.append(text) }
            next += 1
        }
        return all + others
    }
}

/// A list of C strings that ends with a null pointer.
private final class CStringList {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ texts: [String]) {
        count = texts.count
        pointers = .allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() { pointers.advanced(by: index).initialize(to: strdup(text)) }
        pointers.advanced(by: texts.count).initialize(to: nil)
    }

    deinit {
        for index in 0..<count { free(pointers[index]) }
        pointers.deallocate()
    }
}
