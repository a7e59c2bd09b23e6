"""RDF is written as the published mapping has it."""

import re

import msgspec
import pytest
from tests.twins.exchange.test_round_trips import NAMES, template

from lineshaft.core.errors import Invalid
from lineshaft.twins.exchange.rdf import write_rdf

HEAD = """\
@prefix aas: <https://admin-shell.io/aas/3/1/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix xs: <http://www.w3.org/2001/XMLSchema#> .
"""
B = "https://admin-shell.io/aas/3/1"


def test_types_properties_enumerations_and_texts_stand_under_their_declaring_class():
    elements = [
        {
            "modelType": "Property",
            "idShort": "Text",
            "semanticId": {
                "type": "ExternalReference",
                "keys": [{"type": "GlobalReference", "value": "urn:x"}],
            },
            "valueType": "xs:anyURI",
            "value": 'a "quoted"\\\n',
        },
        {"modelType": "Blob", "idShort": "Key", "value": "AAEC/w=="},
        {
            "modelType": "SubmodelElementList",
            "idShort": "Ll",
            "orderRelevant": False,
            "typeValueListElement": "MultiLanguageProperty",
        },
    ]
    concept = {
        "modelType": "ConceptDescription",
        "id": "0173-1#02 <x>",
        "embeddedDataSpecifications": [
            {
                "dataSpecification": elements[0]["semanticId"],
                "dataSpecificationContent": {
                    "modelType": "DataSpecificationIec61360",
                    "preferredName": [{"language": "en", "text": "n"}],
                    "dataType": "REAL_MEASURE",
                },
            }
        ],
    }
    submodel = {"modelType": "Submodel", "id": "urn:s", "submodelElements": elements}
    text = write_rdf({"submodels": [submodel], "conceptDescriptions": [concept]}).decode()
    assert text.startswith(HEAD)
    assert "<urn:s> rdf:type aas:Submodel ;" in text
    assert "<0173-1#02%20%3Cx%3E> rdf:type aas:ConceptDescription ;" in text
    for line in (
        f'<{B}/Identifiable/id> "urn:s"^^xs:string ;',
        f"<{B}/Submodel/submodelElements> [",
        f'<{B}/Referable/idShort> "Text"^^xs:string ;',
        f"<{B}/HasSemantics/semanticId> [",
        f"<{B}/Reference/type> <{B}/ReferenceTypes/ExternalReference> ;",
        f"<{B}/Key/type> <{B}/KeyTypes/GlobalReference> ;",
        f"<{B}/Property/valueType> <{B}/DataTypeDefXsd/AnyUri> ;",
        f'<{B}/Property/value> "a \\"quoted\\"\\\\\\n"^^xs:string ;',
        f'<{B}/Blob/value> "AAEC/w=="^^xs:base64Binary ;',
        f'<{B}/SubmodelElementList/orderRelevant> "false"^^xs:boolean ;',
        f"<{B}/SubmodelElementList/typeValueListElement> "
        f"<{B}/AasSubmodelElements/MultiLanguageProperty> ;",
        "rdf:type aas:DataSpecificationIec61360 ;",
        "rdf:type aas:LangStringPreferredNameTypeIec61360 ;",
        f'<{B}/AbstractLangString/language> "en"^^xs:string ;',
        f"<{B}/DataSpecificationIec61360/dataType> <{B}/DataTypeIec61360/RealMeasure> ;",
    ):
        assert line in [found.strip() for found in text.splitlines()], line


TOKEN = re.compile(
    r'\s+|@prefix|<[^\x00-\x20<>"{}|^`\\]*>|"(?:[^"\\\n\r]|\\.)*"|\^\^|[a-z]+:[A-Za-z0-9]*|[\[\];.]'
)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_written_in_tokens_of_turtle_with_every_bracket_closed(name):
    environment = msgspec.json.decode(template(name))
    text = write_rdf(environment).decode()
    at, depth, nodes = 0, 0, 0
    while at < len(text):
        token = TOKEN.match(text, at)
        assert token, text[at : at + 80]
        depth += {"[": 1, "]": -1}.get(token[0], 0)
        nodes += token[0] == "." and depth == 0
        at = token.end()
    assert depth == 0
    assert nodes == sum(len(items) for items in environment.values()) + HEAD.count("@prefix")


def test_what_has_not_the_structure_is_refused():
    with pytest.raises(Invalid, match="cannot be written"):
        write_rdf({"submodels": [{"id": 1}]})
