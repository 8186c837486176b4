# /// script
# requires-python = ">=3.11"
# dependencies = ["pillow==13.0.0", "numpy==2.4.6", "font-roboto==0.0.1", "font-caladea==0.0.2", "font-lato==0.1.0"]
# ///
"""Draws the sample lab reports: laboratories, patients and values are invented.

Run with `uv run examples/reports/make_reports.py`: uv installs the fonts for this script alone. Pinned
versions and seeded noise make every run draw the same pixels.
"""

from pathlib import Path

from paper import Sheet, photograph, plate_of_food, scan

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "src" / "maxnutrition" / "samples"
TEST_DATA = ROOT / "tests" / "unit" / "maxnutrition" / "data"

RED_CELLS = [
    ("Hemácias", "4,02", "milhões/mm³", "3,90 a 5,00"),
    ("Hemoglobina", "10,9", "g/dL", "12,0 a 15,5"),
    ("Hematócrito", "33,8", "%", "35,0 a 45,0"),
    ("VCM", "84,1", "fL", "80,0 a 100,0"),
    ("HCM", "27,1", "pg", "26,0 a 34,0"),
    ("CHCM", "32,2", "g/dL", "31,0 a 36,0"),
    ("RDW", "15,9", "%", "11,5 a 14,5"),
]
WHITE_CELLS = [
    ("Bastonetes", "4,0", "499", "0,0 a 5,0", "0 a 550"),
    ("Segmentados", "71,0", "8.861", "40,0 a 70,0", "1.800 a 7.700"),
    ("Linfócitos", "18,0", "2.246", "20,0 a 50,0", "1.000 a 4.800"),
    ("Monócitos", "5,0", "624", "2,0 a 10,0", "80 a 1.000"),
    ("Eosinófilos", "2,0", "250", "1,0 a 6,0", "45 a 500"),
    ("Basófilos", "0,0", "0", "0,0 a 2,0", "0 a 200"),
]
LIPIDS = [
    ("COLESTEROL TOTAL", "Enzimático colorimétrico", "238 mg/dL", ["Desejável: inferior a 190 mg/dL"]),
    ("COLESTEROL HDL", "Enzimático direto", "38 mg/dL", ["Desejável: superior a 40 mg/dL"]),
    (
        "COLESTEROL LDL",
        "Fórmula de Martin",
        "161 mg/dL",
        [
            "Risco baixo: inferior a 130 mg/dL",
            "Risco intermediário: inferior a 100 mg/dL",
            "Risco alto: inferior a 70 mg/dL",
        ],
    ),
    ("COLESTEROL VLDL", "Cálculo", "39 mg/dL", ["Até 40 mg/dL"]),
    ("TRIGLICERÍDEOS", "Enzimático colorimétrico", "195 mg/dL", ["Desejável: inferior a 150 mg/dL"]),
    (
        "GLICOSE",
        "Hexoquinase",
        "92 mg/dL",
        [
            "Normal: 70 a 99 mg/dL",
            "Pré-diabetes: 100 a 125 mg/dL",
            "Diabetes: igual ou superior a 126 mg/dL",
        ],
    ),
    (
        "HEMOGLOBINA GLICADA",
        "HPLC",
        "5,4 %",
        ["Normal: inferior a 5,7 %", "Pré-diabetes: 5,7 a 6,4 %", "Diabetes: igual ou superior a 6,5 %"],
    ),
]
THYROID = [
    ("TSH ULTRASSENSÍVEL", "6,82 µUI/mL", "Valores de referência: 0,40 a 4,30 µUI/mL"),
    ("T4 LIVRE", "0,88 ng/dL", "Valores de referência: 0,93 a 1,70 ng/dL"),
    ("T3 TOTAL", "112 ng/dL", "Valores de referência: 80 a 200 ng/dL"),
    ("ANTICORPOS ANTI-TPO", "182,0 UI/mL", "Valores de referência: inferior a 34,0 UI/mL"),
    ("ANTITIREOGLOBULINA", "< 10,0 UI/mL", "Valores de referência: inferior a 115,0 UI/mL"),
    ("FERRITINA", "41,0 ng/mL", "VR: Homens: 30,0 a 400,0   Mulheres: 13,0 a 150,0"),
    ("VITAMINA B12", "389 pg/mL", "VR: 197 a 771 pg/mL"),
    ("25-HIDROXIVITAMINA D", "24,6 ng/mL", "VR: superior a 20,0 ng/mL"),
]


def haemogram() -> Sheet:
    """A table with ruled columns, the leucogram with percent and absolute columns."""
    sheet = Sheet("roboto", ink="#1d2733")
    sheet.band("#0f5c73", "Laboratório Vila Serena", "Análises Clínicas  ·  Rua das Acácias, 120  ·  Campinas - SP")
    sheet.box(
        [
            ("Paciente: Marina Couto Alvarenga", "Pedido: 0045-7781"),
            ("Idade: 41 anos     Sexo: Feminino", "CPF: 000.000.000-00"),
            ("Solicitante: Dr. Otávio Brandão  CRM 00000", "Coleta: 12/03/2025 07:42"),
        ]
    )
    sheet.title("HEMOGRAMA COMPLETO")
    sheet.small("Material: sangue total com EDTA     Método: automação por impedância e citometria de fluxo")
    columns = (70, 480, 640, 850)
    sheet.header(columns, ("Eritrograma", "Resultado", "Unidade", "Valores de referência"))
    for row in RED_CELLS:
        sheet.row(columns, row, rule=True)
    columns = (70, 480, 640, 800, 980)
    sheet.header(columns, ("Leucograma", "%", "/mm³", "Ref. (%)", "Ref. (/mm³)"))
    sheet.row(columns, ("Leucócitos", "100,0", "12.480", "", "4.500 a 11.000"), rule=True)
    for cells in WHITE_CELLS:
        sheet.row(columns, cells, rule=True)
    columns = (70, 480, 640, 850)
    sheet.header(columns, ("Plaquetograma", "Resultado", "Unidade", "Valores de referência"))
    sheet.row(columns, ("Plaquetas", "448.000", "/mm³", "150.000 a 450.000"), rule=True)
    sheet.row(columns, ("VPM", "10,2", "fL", "7,2 a 11,7"), rule=True)
    sheet.footer("Liberado por: Dra. Helena Prado  CRBM 00000", "A interpretação deste exame compete ao médico.")
    return sheet


def lipids() -> Sheet:
    """One block per test: title, method, result, then a reference table of one to three lines."""
    sheet = Sheet("caladea", ink="#20201e")
    sheet.letterhead("#1f6b4a", "BioAurora Medicina Diagnóstica", "Unidade Jardim Botânico  ·  Curitiba - PR")
    sheet.box(
        [
            ("Nome: Rogério Tavares Lins", "Atendimento: 88120-3"),
            ("Nascimento: 04/09/1979     Sexo: M", "Data da coleta: 28/07/2025"),
        ]
    )
    for name, method, result, references in LIPIDS:
        sheet.block(name, f"Material: soro     Método: {method}", f"Resultado: {result}", references)
    sheet.footer("Responsável técnico: Dr. Caio Meireles  CRF 00000", "Jejum informado: 12 horas")
    return sheet


def thyroid() -> Sheet:
    """Dotted leaders, the reference on the line below."""
    sheet = Sheet("lato", ink="#111111")
    sheet.letterhead(
        "#7a2f6b", "Centro de Análises Ipê-Roxo", "Av. dos Jequitibás, 900  ·  Goiânia - GO  ·  (62) 0000-0000"
    )
    sheet.box(
        [
            ("Cliente: Iara Monteiro Sales", "Protocolo: 2025.11.003"),
            ("Médico: Dra. Lúcia Farias  CRM 00000", "Coletado em: 03/11/2025 08:15"),
        ]
    )
    sheet.title("TIREOIDE E VITAMINAS")
    sheet.small("Material: soro     Método: eletroquimioluminescência")
    for name, result, reference in THYROID:
        sheet.leader(name, result, reference)
    sheet.footer("Assinado eletronicamente por: Dr. Enzo Rocha  CRBM 00000", "Laudo conferido e liberado.")
    return sheet


def main() -> None:
    SAMPLES.mkdir(parents=True, exist_ok=True)
    TEST_DATA.mkdir(parents=True, exist_ok=True)
    scan(haemogram().image, seed=1).save(SAMPLES / "hemograma.jpg", quality=82)
    photograph(lipids().image, seed=2).save(SAMPLES / "lipidios_glicose.jpg", quality=82)
    thyroid().image.quantize(16).save(SAMPLES / "tireoide.png", optimize=True)
    plate_of_food(seed=4).save(TEST_DATA / "plate.jpg", quality=80)


if __name__ == "__main__":
    main()
