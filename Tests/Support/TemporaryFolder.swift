import Foundation
import Glibc

/// A folder of a test, removed with everything in it.
package final class TemporaryFolder: Sendable {
    /// The path of the folder.
    package let path: String

    /// Creates the folder.
    package init() throws {
        path = NSTemporaryDirectory() + "/weir-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Writes a file, and returns its path.
    package func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
        return path + "/" + name
    }

    /// Reads a file.
    package func read(_ name: String) throws -> [UInt8] { try Self.read(path + "/" + name) }

    /// Reads a file anywhere.
    package static func read(_ path: String) throws -> [UInt8] {
        let raw = open(path, O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { throw LoopbackSocket.error("read '\(path)'") }
        defer { close(raw) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(raw, &part, part.count)
            guard count >= 0 else { throw LoopbackSocket.error("read '\(path)'") }
            if count == 0 { return bytes }
            bytes += part[..<count]
        }
    }
}
