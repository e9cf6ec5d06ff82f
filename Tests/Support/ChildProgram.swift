import Foundation

/// Another program, run to its end.
package enum ChildProgram {
    /// The results of a program.
    package struct Ended: Sendable {
        /// The exit code.
        package var status: Int32
        /// The text on standard output, and on standard error unless that was kept apart.
        package var output: String
        /// The text on standard error, if it was kept apart.
        package var errors = ""
    }

    /// Returns whether a program is installed.
    package static func exists(_ name: String) -> Bool { path(name) != nil }

    /// Runs a program with nothing on standard input, and waits for its end.
    ///
    /// With a file for its errors, its standard error is kept apart.
    @discardableResult
    package static func run(_ name: String, _ arguments: [String], errors file: String? = nil) throws -> Ended {
        guard let path = path(name) else { throw HelperError("\(name) is not installed") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        if let file {
            guard FileManager.default.createFile(atPath: file, contents: nil),
                let handle = FileHandle(forWritingAtPath: file)
            else { throw HelperError("cannot make \(file)") }
            process.standardError = handle
        } else {
            process.standardError = pipe
        }
        try process.run()
        let bytes = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        var ended = Ended(status: process.terminationStatus, output: String(decoding: bytes, as: UTF8.self))
        if let file { ended.errors = String(decoding: try TemporaryFolder.read(file), as: UTF8.self) }
        return ended
    }

    private static func path(_ name: String) -> String? {
        ["/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/"].map { $0 + name }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
