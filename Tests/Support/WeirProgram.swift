import Glibc

/// The failure of a test's helper.
package struct HelperError: Error, CustomStringConvertible {
    /// The failure in one line.
    package var description: String

    /// Creates an error.
    package init(_ description: String) {
        self.description = description
    }
}

/// The `weir` that was built beside the tests, connected to the test by pipes.
///
/// Everything has a deadline: a program that is late is killed, and the test fails.
package final class WeirProgram {
    /// The other end of one of the program's standard streams.
    package enum Stream {
        /// A pipe to the test.
        case pipe
        /// A file, read for input, created anew for output.
        case file(String)
        /// Closed, as after `>&-`.
        case closed
    }

    /// The results of a program.
    package struct Ended {
        /// The exit code; the negated signal number if a signal ended the program.
        package var status: Int32
        /// The bytes on standard output.
        package var output: [UInt8]
        /// The text on standard error.
        package var errors: String
    }

    let process: pid_t
    /// The process id.
    package var identifier: Int32 { process }
    private var input: Int32
    private(set) var output: Int32
    private var errors: Int32
    let deadline: Deadline
    private var isReaped = false

    /// Starts the program.
    ///
    /// - Parameters:
    ///   - arguments: The arguments after its name.
    ///   - launcher: A command that runs the program, such as `setpriv`, with its arguments.
    ///   - input: The source of standard input.
    ///   - output: The destination of standard output.
    ///   - seconds: The time for everything, in seconds.
    /// - Throws: An error if it cannot be started.
    package init(
        _ arguments: [String],
        launcher: [String] = [],
        input: Stream = .pipe,
        output: Stream = .pipe,
        seconds: Int = 30
    ) throws {
        // A program that has ended reads no more: write then returns an error, instead of a signal.
        signal(SIGPIPE, SIG_IGN)
        deadline = Deadline(seconds: seconds)
        let words = launcher + [try Self.path()] + arguments
        (process, self.input, self.output, errors) = try Self.spawn(words, input, output)
    }

    deinit {
        for descriptor in [input, output, errors] where descriptor >= 0 { close(descriptor) }
        if !isReaped {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
        }
    }

    /// Returns the path of the program, which is beside the tests' own.
    package static func path() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let tests = String(decoding: buffer[..<max(count, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let slash = tests.lastIndex(of: "/") else { throw HelperError("the tests' own program has no path") }
        return tests[...slash] + "weir"
    }

    private static func spawn(
        _ words: [String],
        _ input: Stream,
        _ output: Stream
    ) throws -> (pid_t, Int32, Int32, Int32) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var theirs: [Int32] = []
        defer { for descriptor in theirs { close(descriptor) } }
        var ours: [Int32] = []
        for (number, stream) in [(Int32(0), input), (1, output), (2, .pipe)] {
            switch stream {
            case .closed:
                posix_spawn_file_actions_addclose(&actions, number)
                ours.append(-1)
            case .file(let path):
                let flags = number == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC
                posix_spawn_file_actions_addopen(&actions, number, path, flags, 0o600)
                ours.append(-1)
            case .pipe:
                var ends: [Int32] = [-1, -1]
                guard pipe(&ends) == 0 else { throw HelperError("no pipe: errno \(errno)") }
                for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
                let (mine, its) = number == 0 ? (ends[1], ends[0]) : (ends[0], ends[1])
                _ = fcntl(mine, F_SETFL, O_NONBLOCK)
                posix_spawn_file_actions_adddup2(&actions, its, number)
                theirs.append(its)
                ours.append(mine)
            }
        }
        // Sockets of other tests would stay open for as long as this program runs. Swift does not import
        // posix_spawn_file_actions_addclosefrom_np.
        for descriptor in 3..<min(Int32(sysconf(Int32(_SC_OPEN_MAX))), 4096) {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        argv.append(nil)
        defer { for text in argv { free(text) } }
        // Swift's threads block signals, and a program would inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var mask = sigset_t()
        sigemptyset(&mask)
        posix_spawnattr_setsigmask(&attributes, &mask)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var process = pid_t()
        // The signs in the program's output depend on the locale, which is the same for every test.
        let locale = strdup("LC_ALL=C.UTF-8")
        defer { free(locale) }
        var variables: [UnsafeMutablePointer<CChar>?] = [locale]
        var entry = environ
        while let text = entry.pointee {
            if strncmp(text, "LC_ALL=", 7) != 0 { variables.append(text) }
            entry += 1
        }
        variables.append(nil)
        let status = posix_spawnp(&process, words[0], &actions, &attributes, &argv, &variables)
        guard status == 0 else {
            for descriptor in ours where descriptor >= 0 { close(descriptor) }
            throw HelperError("cannot start \(words[0]): errno \(status)")
        }
        return (process, ours[0], ours[1], ours[2])
    }

    /// Writes bytes to standard input, and waits until the pipe has taken them all.
    package func write(_ bytes: [UInt8]) throws {
        try writeAll(bytes, to: input, until: deadline)
    }

    /// Writes a text to standard input.
    package func write(_ text: String) throws { try write(Array(text.utf8)) }

    /// Closes standard input.
    package func closeInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    /// Closes the reading end of standard output.
    package func closeOutput() {
        if output >= 0 { close(output) }
        output = -1
    }

    /// Reads `count` bytes of standard output, or fewer if it ends.
    package func readOutput(_ count: Int) throws -> [UInt8] { try readUpTo(count, from: output, until: deadline) }

    /// Reads one line of standard error, without its end.
    package func readErrorLine() throws -> String {
        var line: [UInt8] = []
        while let byte = try readUpTo(1, from: errors, until: deadline).first, byte != UInt8(ascii: "\n") {
            line.append(byte)
        }
        return String(decoding: line, as: UTF8.self)
    }

    /// Waits until the program has ended, and returns its exit code or the negated signal number; reads nothing.
    ///
    /// - Throws: `HelperError` if it does not end in time.
    package func waitForEnd() throws -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, WNOHANG) == 0 {
            if deadline.isOver { throw HelperError("the program does not end") }
            poll(nil, 0, 1)
        }
        isReaped = true
        return status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f)
    }

    /// Writes bytes to standard input, closes it if `closesInput`, and collects the output until the program ends.
    ///
    /// - Throws: `HelperError` if it does not end in time.
    package func finish(sending bytes: [UInt8] = [], closesInput: Bool = true) async throws -> Ended {
        let (deadline, keptInput) = (deadline, closesInput ? -1 : input)
        let pipes = Pipes(input: bytes.isEmpty && !closesInput ? -1 : input, output: output, errors: errors)
        (input, output, errors) = (keptInput, -1, -1)
        var (ended, messages) = try await runThread {
            var pipes = pipes
            return try pipes.exchange(bytes, closesInput, until: deadline)
        }
        ended.status = try waitForEnd()
        ended.errors = String(decoding: messages, as: UTF8.self)
        return ended
    }
}

/// The test's ends of a program's pipes; -1 for those that are closed.
private struct Pipes: Sendable {
    var input: Int32
    var output: Int32
    var errors: Int32

    /// Writes and reads until the program has closed its ends.
    mutating func exchange(
        _ bytes: [UInt8],
        _ closesInput: Bool,
        until deadline: Deadline
    ) throws -> (WeirProgram.Ended, [UInt8]) {
        defer {
            if closesInput { Self.close(&input) }
            Self.close(&output)
            Self.close(&errors)
        }
        var ended = WeirProgram.Ended(status: 0, output: [], errors: "")
        var messages: [UInt8] = []
        var rest = bytes[...]
        while output >= 0 || errors >= 0 {
            if rest.isEmpty, closesInput { Self.close(&input) }
            var entries = [
                pollfd(fd: rest.isEmpty ? -1 : input, events: Int16(POLLOUT), revents: 0),
                pollfd(fd: output, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
            ]
            try deadline.wait(&entries)
            if entries[0].revents != 0 {
                let count = rest.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
                // A program that ended reads no more.
                if count < 0, errno != EAGAIN { rest = [] } else { rest = rest.dropFirst(max(count, 0)) }
            }
            if entries[1].revents != 0 { try Self.drain(&output, into: &ended.output) }
            if entries[2].revents != 0 { try Self.drain(&errors, into: &messages) }
        }
        return (ended, messages)
    }

    private static func drain(_ descriptor: inout Int32, into bytes: inout [UInt8]) throws {
        guard let part = try readOnce(descriptor, 1 << 16) else { return }
        bytes += part
        if part.isEmpty { close(&descriptor) }
    }

    private static func close(_ descriptor: inout Int32) {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }
}
