import Foundation

/// Runs another program to its end.
package enum ChildProgram {
    /// Holds what a program left behind.
    package struct Ended: Sendable {
        /// Holds the exit code.
        package var status: Int32
        /// Holds what it wrote to standard error and standard output.
        package var output: String
    }

    /// Tells whether a program is installed.
    package static func exists(_ name: String) -> Bool { path(name) != nil }

    /// Runs a program with nothing on standard input, and waits for its end.
    @discardableResult
    package static func run(_ name: String, _ arguments: [String]) throws -> Ended {
        guard let path = path(name) else { throw HelperError("\(name) is not installed") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let bytes = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Ended(status: process.terminationStatus, output: String(decoding: bytes, as: UTF8.self))
    }

    private static func path(_ name: String) -> String? {
        ["/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/"].map { $0 + name }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
