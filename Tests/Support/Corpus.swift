import Foundation

/// The captures that readers are tested with.
package enum Corpus {
    /// The folder: `WEIR_CORPUS`, else `shared/corpus` beside the project's folder; nil if it is absent.
    package static let folder: String? = foundFolder("corpus", "WEIR_CORPUS")

    /// Returns the captures by their paths in the folder, in order.
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

/// Small captures made for these tests; a README there lists the correct results.
package enum Cases {
    /// The folder: `WEIR_CASES`, else `shared/cases` beside the project's folder; nil if it is absent.
    package static let folder: String? = foundFolder("cases", "WEIR_CASES")

    /// Reads one of them.
    package static func read(_ name: String) throws -> [UInt8] {
        guard let folder else { throw HelperError("there are no cases") }
        return try TemporaryFolder.read(folder + "/" + name)
    }
}

/// Finds a folder of `shared`, or the one in an environment variable.
private func foundFolder(_ name: String, _ variable: String) -> String? {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
    let beside = root.appendingPathComponent("../shared/\(name)").standardizedFileURL.path
    let path = ProcessInfo.processInfo.environment[variable] ?? beside
    return FileManager.default.fileExists(atPath: path) ? path : nil
}
