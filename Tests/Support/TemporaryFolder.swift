import Foundation

/// Is a folder of a test's own, removed with all that is in it.
public final class TemporaryFolder: Sendable {
    /// Says where it is.
    public let path: String

    /// Makes it.
    public init() throws {
        path = NSTemporaryDirectory() + "/weir-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Writes a file, and says where it is.
    public func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
        return path + "/" + name
    }

    /// Reads a file.
    public func read(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
    }
}
