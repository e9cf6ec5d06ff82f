import Foundation

/// Finds the captures that readers are tested with.
package enum Corpus {
    /// Says where they are: `WEIR_CORPUS`, else `shared/corpus` beside the project's folder; nil where they are absent.
    package static let folder: String? = foundFolder("corpus", "WEIR_CORPUS")

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

/// Small captures made for these tests, which say in a README what is right.
package enum Cases {
    /// The folder: `WEIR_CASES`, else `shared/cases` beside the project's folder; nil if it is absent.
    package static let folder: String? = foundFolder("cases", "WEIR_CASES")

    /// Reads one of them.
    package static func read(_ name: String) throws -> [UInt8] {
        guard let folder else { throw HelperError("there are no cases") }
        return try TemporaryFolder.read(folder + "/" + name)
    }
}

/// Finds a folder of `shared`, or the one that a variable of the environment names.
private func foundFolder(_ name: String, _ variable: String) -> String? {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
    let beside = root.appendingPathComponent("../shared/\(name)").standardizedFileURL.path
    let path = ProcessInfo.processInfo.environment[variable] ?? beside
    return FileManager.default.fileExists(atPath: path) ? path : nil
}
