import Foundation

/// Finds the captures that readers are tested with.
package enum Corpus {
    /// Says where they are: `WEIR_CORPUS`, else `shared/corpus` beside the project's folder; nil where they are absent.
    package static let folder: String? = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        let beside = root.appendingPathComponent("../shared/corpus").standardizedFileURL.path
        let path = ProcessInfo.processInfo.environment["WEIR_CORPUS"] ?? beside
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    /// Lists the captures by their paths in the folder, in order.
    package static func files() throws -> [String] {
        guard let folder, let found = FileManager.default.enumerator(atPath: folder) else {
            throw HelperError("there is no corpus")
        }
        return found.compactMap { $0 as? String }
            .filter { path in [".pcap", ".pcapng", ".cap"].contains { path.hasSuffix($0) } }
            .sorted()
    }

    /// Reads one of them.
    package static func read(_ path: String) throws -> [UInt8] {
        guard let folder else { throw HelperError("there is no corpus") }
        return try TemporaryFolder.read(folder + "/" + path)
    }
}
