import Glibc
import Subprocess

/// One program with its arguments, and the files that take what it prints.
struct Launch: Sendable, Equatable {
    var program: String
    var arguments: [String]
    /// Where standard output goes.
    var output = "/dev/null"
    /// Where standard error goes.
    var errors = "/dev/null"
}

/// Starts programs in process groups of their own, and ends them whatever happens.
enum Child {
    /// Runs a program for as long as a body takes, then ends its whole group.
    ///
    /// - Throws: What the body throws, after the program was ended; `BenchError.child` when it could not be started.
    static func with<Result: Sendable>(
        _ launch: Launch,
        body: @Sendable (ProcessGroup) async throws -> Result
    ) async throws -> Result {
        try await withStatus(launch, body: body).0
    }

    /// Does the same, and returns the program's exit code too; nil where a signal ended it.
    static func withStatus<Result: Sendable>(
        _ launch: Launch,
        body: @Sendable (ProcessGroup) async throws -> Result
    ) async throws -> (Result, Int32?) {
        let ended = try await Subprocess.run(
            configuration(launch, outputToFiles: true),
            input: .none,
            output: .discarded,
            error: .discarded
        ) { execution in
            let group = ProcessGroup(identifier: execution.processIdentifier.value)
            defer { group.end() }
            let result = try await body(group)
            await execution.teardown(using: ending)
            return result
        }
        guard case .exited(let status) = ended.terminationStatus else { return (ended.closureResult, nil) }
        return (ended.closureResult, status)
    }

    /// Runs a program that serves until its standard input ends, for as long as a body takes.
    ///
    /// - Parameters:
    ///   - launch: The program; its output comes here, not into a file.
    ///   - body: Gets the first line that the program prints.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws; `BenchError.child` when the program ends before its first line.
    static func serving<Result: Sendable>(
        _ launch: Launch,
        body: @Sendable (ProcessGroup, String) async throws -> Result
    ) async throws -> Result {
        try await Subprocess.run(
            configuration(launch, outputToFiles: false),
            input: .inputWriter,
            output: .sequence,
            error: .currentStandardError
        ) { execution in
            let group = ProcessGroup(identifier: execution.processIdentifier.value)
            var lines = execution.standardOutput.strings().makeAsyncIterator()
            guard let line = try await lines.next() else {
                throw BenchError.child(program: launch.program, reason: "ended before it said that it serves")
            }
            let result = try await body(group, line)
            try await execution.standardInputWriter.finish()
            return result
        }.closureResult
    }

    /// Runs a program to its end and returns its standard output.
    ///
    /// - Throws: `BenchError.child` with the last line of its standard error when it fails.
    static func output(of launch: Launch) async throws -> String {
        let result = try await Subprocess.run(
            configuration(launch, outputToFiles: false),
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        )
        try Task.checkCancellation()
        guard result.terminationStatus.isSuccess else {
            throw failure(result.standardError, result.terminationStatus)
        }
        // Programs such as nginx print their version to standard error.
        return result.standardOutput.isEmpty ? result.standardError : result.standardOutput
    }

    /// Runs a program to its end and returns its standard output, or ends it when it takes too long.
    static func output(of launch: Launch, withinSeconds seconds: Double) async throws -> String {
        try await withThrowingTaskGroup(of: String.self) { group in
            group.addTask { try await output(of: launch) }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                throw BenchError.child(program: launch.program, reason: "did not end within \(seconds) s")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? ""
        }
    }

    /// Runs a program to its end and throws its output away.
    static func discardingOutput(of launch: Launch) async throws {
        let result = try await Subprocess.run(
            configuration(launch, outputToFiles: false),
            output: .discarded,
            error: .string(limit: 1 << 20)
        )
        try Task.checkCancellation()
        guard result.terminationStatus.isSuccess else {
            throw failure(result.standardError, result.terminationStatus)
        }
    }

    /// Returns the last line that says something.
    static func lastLine(of text: String) -> String? {
        text.split(separator: "\n").last { $0.contains { !$0.isWhitespace } }.map(String.init)
    }

    private static func failure(_ errors: String, _ status: TerminationStatus) -> BenchError {
        guard let line = lastLine(of: errors) else { return .load("ended with \(status) and said nothing") }
        let prefix = "Error: "
        return .load(line.hasPrefix(prefix) ? String(line.dropFirst(prefix.count)) : line)
    }

    private static let ending: [TeardownStep] = [
        .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: .seconds(3))
    ]

    /// Describes a shell that opens the files and is then replaced by the program, which so keeps the process id.
    ///
    /// The shell spares a dependency on swift-system, whose paths and descriptors Subprocess takes otherwise.
    private static func configuration(_ launch: Launch, outputToFiles: Bool) -> Configuration {
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = ending
        let redirect = outputToFiles ? " >\"$out\" 2>\"$err\"" : ""
        let script = "out=$1 err=$2; shift 2; exec \"$@\"\(redirect)"
        let arguments = ["-c", script, "sh", launch.output, launch.errors, launch.program] + launch.arguments
        return Configuration(
            executable: .name("sh"),
            arguments: Arguments(arguments),
            platformOptions: options
        )
    }
}
