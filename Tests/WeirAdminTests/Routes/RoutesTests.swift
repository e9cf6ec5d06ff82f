import Testing

@testable import WeirAdmin
import WeirWire

@Suite("The table of routes")
struct RoutesTests {
    @Test("Each row has its own method and path, and its own name")
    func isUnique() {
        #expect(Set(Routes.all.map { "\($0.method) \($0.path)" }).count == Routes.all.count)
        #expect(Set(Routes.all.map(\.operation)).count == Routes.all.count)
    }

    @Test("Each row describes the parameters of its path, and a good answer", arguments: Routes.all.indices)
    func isDescribed(index: Int) {
        let route = Routes.all[index]
        let names = route.parts.compactMap { if case .parameter(let name) = $0 { name } else { nil } }
        #expect(route.parameters.filter(\.isInPath).map(\.name) == names)
        #expect(route.answers.contains { (200..<300).contains($0.status) })
        #expect(Set(route.answers.map(\.status)).count == route.answers.count)
        #expect(route.summary.hasSuffix(".") && route.path.hasPrefix("/"))
        #expect(route.path.hasPrefix("/v1/") == (route.api == .weir))
    }

    @Test("The document has every row, and names no schema that is not there")
    func isDocumented() throws {
        let document = OpenAPI.document(version: "1")
        let paths = try #require(document["paths"]?.members)
        #expect(paths.reduce(0) { $0 + ($1.value.members?.count ?? 0) } == Routes.all.count)
        let known = Set((document["components"]?["schemas"]?.members ?? []).map(\.key))
        var references: Set<String> = []
        func look(_ value: JSONValue) {
            for member in value.members ?? [] {
                if member.key == "$ref", let text = member.value.stringValue {
                    references.insert(String(text.split(separator: "/").last ?? ""))
                }
                look(member.value)
            }
            for value in value.arrayValue ?? [] { look(value) }
        }
        look(document)
        #expect(references == known.subtracting(["Error"]))
        #expect(try JSONParser.parseWhole(document.bytes) == document)
    }
}
