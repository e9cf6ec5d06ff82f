import Foundation

/// Is a folder of a test's own, removed with all that is in it.
package final class TemporaryFolder: Sendable {
    /// Says where it is.
    package let path: String

    /// Makes it.
    package init() throws {
        path = NSTemporaryDirectory() + "/weir-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Writes a file, and says where it is.
    package func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
        return path + "/" + name
    }

    /// Reads a file.
    package func read(_ name: String) throws -> [UInt8] { try Self.read(path + "/" + name) }

    /// Reads a file anywhere.
    package static func read(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }
}
