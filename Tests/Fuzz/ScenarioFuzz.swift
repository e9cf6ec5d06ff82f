// modules: WeirEngine
// sources: Sources/weir/Scenario/ScenarioFile.swift Sources/weir/Scenario/YAMLDocument.swift
// swiftc: -D Scenarios -I Sources/CYaml -lyaml
// libFuzzer: -max_len=4096

import WeirEngine
import WeirWire

/// Reads any text as the YAML of a scenario, and checks what it says for two routes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    guard let text = String(validating: bytes, as: UTF8.self) else { return 0 }
    do {
        let scenario = try ScenarioFile.parse(text)
        try scenario.check([[], []], over: [.tcp, .udp])
    } catch {
        precondition(!"\(error)".isEmpty, "an error has words")
    }
    return 0
}

// What the reader takes from the rest of the program: files, exit codes and ArgumentParser are not under test.

struct Failure: Error {
    enum Code { case dataError }

    init(_ code: Code, _ message: String) {}
}

enum SmallFile {
    static func read(_ path: String) throws(Failure) -> [UInt8] { [] }
}

struct DurationArgument {
    var duration: Duration

    init?(argument: String) {
        let digits = argument.hasSuffix("s") ? argument.dropLast() : argument[...]
        guard let seconds = UInt32(digits) else { return nil }
        duration = .seconds(Int64(seconds))
    }
}
